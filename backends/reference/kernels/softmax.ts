import { elementCount } from "../../../core/index.ts";
import { memoryFor, numbersOf, positiveAxis, required, tensorOf, type KernelFactory, type Numbers } from "../kernel.ts";

/** Softmax and its logarithm; the maximum is taken off first, so that nothing overflows. */
export const softmaxKernels: Readonly<Record<string, KernelFactory>> = {
  Softmax: alongAxis((x, out, { start, step, size }) => {
    const { largest, sum } = exponentialSum(x, { start, step, size });
    for (let i = 0; i < size; i += 1) out[start + i * step] = Math.exp(x[start + i * step]! - largest) / sum;
  }),
  LogSoftmax: alongAxis(logSoftmaxLine),
};

/** The elements of one line along an axis. */
export interface Line {
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

/** log(e^x / sum e^x) of one line. */
export function logSoftmaxLine(x: Numbers, out: Numbers, line: Line): void {
  const { start, step, size } = line;
  const { largest, sum } = exponentialSum(x, line);
  const logarithm = Math.log(sum);
  for (let i = 0; i < size; i += 1) out[start + i * step] = x[start + i * step]! - largest - logarithm;
}

function alongAxis(compute: (x: Numbers, out: Numbers, line: Line) => void): KernelFactory {
  return ({ attributes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const axis = positiveAxis(attributes.int("axis"), x.shape.length);
      const size = x.shape[axis]!;
      const step = elementCount(x.shape.slice(axis + 1));
      const source = numbersOf(x);
      const out = memoryFor(x.dtype, source.length);
      for (let line = 0; line < source.length / size; line += 1) {
        compute(source, out, { start: Math.floor(line / step) * size * step + (line % step), step, size });
      }
      return [tensorOf(x.dtype, x.shape, out)];
    };
}

function exponentialSum(x: Numbers, { start, step, size }: Line): { readonly largest: number; readonly sum: number } {
  let largest = -Infinity;
  for (let i = 0; i < size; i += 1) largest = Math.max(largest, x[start + i * step]!);
  let sum = 0;
  for (let i = 0; i < size; i += 1) sum += Math.exp(x[start + i * step]! - largest);
  return { largest, sum };
}
