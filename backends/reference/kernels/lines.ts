import { elementCount } from "../../../core/index.ts";
import {
  memoryFor,
  numbersOf,
  positiveAxis,
  required,
  scalarOf,
  tensorOf,
  type KernelContext,
  type KernelFactory,
  type Numbers,
  type NumericTensor,
} from "../kernel.ts";

/** Operators that work on one line along an axis at a time. */
export const lineKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__CumSum.html */
  CumSum: ({ attributes }) => {
    const [exclusive, reverse] = [attributes.int("exclusive") === 1, attributes.int("reverse") === 1];
    return (inputs) => [
      alongLines(required(inputs, 0), scalarOf(required(inputs, 1)), (line) => {
        const order = reverse ? line.toReversed() : line;
        let sum = 0;
        const sums = order.map((value) => {
          const before = sum;
          sum += value;
          return exclusive ? before : sum;
        });
        return reverse ? sums.toReversed() : sums;
      }),
    ];
  },

  Hardmax:
    ({ attributes }) =>
    (inputs) => [
      alongLines(required(inputs, 0), attributes.int("axis"), (line) => {
        const place = line.indexOf(Math.max(...line));
        return line.map((_, i) => Number(i === place));
      }),
    ],

  /** @see https://onnx.ai/onnx/operators/onnx__LpNormalization.html */
  LpNormalization:
    ({ attributes }) =>
    (inputs) => [
      alongLines(required(inputs, 0), attributes.int("axis"), (line) => {
        const size = attributes.int("p") === 1 ? line.reduce((sum, x) => sum + Math.abs(x), 0) : Math.sqrt(line.reduce((sum, x) => sum + x * x, 0));
        return size === 0 ? line : line.map((x) => x / size);
      }),
    ],

  /** @see https://onnx.ai/onnx/operators/onnx__TopK.html */
  TopK: (context) => (inputs) => {
    const x = required(inputs, 0);
    const k = scalarOf(required(inputs, 1));
    const sign = context.attributes.int("largest") === 1 ? -1 : 1;
    const best = (line: readonly number[]): readonly number[] =>
      [...line.keys()].toSorted((a, b) => sign * (line[a]! - line[b]!) || a - b).slice(0, k);
    return [topLines(context, x, (line) => best(line).map((place) => line[place]!)), topLines(context, x, best, "int64")];
  },
};

type Line = (line: readonly number[]) => readonly number[];

function topLines({ attributes }: KernelContext, x: NumericTensor, compute: Line, dtype = x.dtype): NumericTensor {
  return alongLines(x, attributes.int("axis"), compute, dtype);
}

/** Replaces each line along an axis by what `compute` makes of it; all results have one length. */
function alongLines(x: NumericTensor, axis: number, compute: Line, dtype = x.dtype): NumericTensor {
  const at = positiveAxis(axis, x.shape.length);
  const size = x.shape[at]!;
  const step = elementCount(x.shape.slice(at + 1));
  const count = elementCount(x.shape.toSpliced(at, 1));
  const source = numbersOf(x);
  const startOf = (line: number, length: number): number => Math.floor(line / step) * length * step + (line % step);
  const results = Array.from({ length: count }, (_, line) => compute(readLine(source, { start: startOf(line, size), step, size })));
  const length = results[0]?.length ?? compute(Array.from({ length: size }, () => 0)).length;
  const out = memoryFor(dtype, count * length);
  for (const [line, result] of results.entries()) result.forEach((value, i) => (out[startOf(line, length) + i * step] = value));
  return tensorOf(dtype, x.shape.with(at, length), out);
}

function readLine(x: Numbers, { start, step, size }: { readonly start: number; readonly step: number; readonly size: number }): number[] {
  return Array.from({ length: size }, (_, i) => x[start + i * step]!);
}
