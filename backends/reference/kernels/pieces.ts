import { allocate, elementCount } from "../../../core/index.ts";
import { stridedIndices, stridesOf, take } from "../indices.ts";
import { rearranged } from "./arrangements.ts";
import { intsOf, positiveAxis, required, type KernelFactory, type Numbers, type NumericTensor } from "../kernel.ts";

/** Operators that cut tensors up and put them together. */
export const pieceKernels: Readonly<Record<string, KernelFactory>> = {
  Concat:
    ({ attributes }) =>
    (inputs) => {
      const parts = inputs.map((_, i) => required(inputs, i));
      const first = required(inputs, 0);
      const axis = positiveAxis(attributes.int("axis"), first.shape.length);
      const size = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
      const whole = empty(first, first.shape.with(axis, size));
      let start = 0;
      for (const part of parts) {
        place(part, whole, start * elementCount(first.shape.slice(axis + 1)));
        start += part.shape[axis]!;
      }
      return [whole];
    },

  Split:
    ({ attributes, outputTypes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const axis = positiveAxis(attributes.int("axis"), x.shape.length);
      const strides = stridesOf(x.shape);
      let start = 0;
      // The shape rule has worked out the sizes, from input 1 or from num_outputs.
      return outputTypes.map((type) => {
        const shape = x.shape.with(axis, Number(type.shape[axis]));
        const part = take(x, shape, stridedIndices(shape, strides, start * strides[axis]!));
        start += shape[axis]!;
        return part;
      });
    },

  /** @see https://onnx.ai/onnx/operators/onnx__Slice.html */
  Slice: () => (inputs) => {
    const x = required(inputs, 0);
    const starts = intsOf(required(inputs, 1));
    const ends = intsOf(required(inputs, 2));
    const axes = (inputs[3] ? intsOf(inputs[3]) : [...starts.keys()]).map((axis) => positiveAxis(axis, x.shape.length));
    const steps = inputs[4] ? intsOf(inputs[4]) : starts.map(() => 1);
    const shape = [...x.shape];
    const strides = stridesOf(x.shape);
    let offset = 0;
    for (const [i, axis] of axes.entries()) {
      const step = steps[i]!;
      const size = x.shape[axis]!;
      // Going forwards, places are cut to [0, size]; going backwards, the start to [0, size - 1] and the end to [-1, size - 1].
      const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
      const start = clamp(positiveAxis(starts[i]!, size), Math.max(low, 0), high);
      const end = clamp(positiveAxis(ends[i]!, size), low, high);
      shape[axis] = Math.max(0, Math.ceil((end - start) / step));
      offset += start * strides[axis]!;
      strides[axis] = strides[axis]! * step;
    }
    return [take(x, shape, stridedIndices(shape, strides, offset))];
  },

  /** A negative pad cuts. @see https://onnx.ai/onnx/operators/onnx__Pad.html */
  Pad:
    ({ attributes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const pads = intsOf(required(inputs, 1));
      const axes = (inputs[3] ? intsOf(inputs[3]) : [...x.shape.keys()]).map((axis) => positiveAxis(axis, x.shape.length));
      const begins = x.shape.map(() => 0);
      const shape = [...x.shape];
      for (const [i, axis] of axes.entries()) {
        begins[axis] = pads[i]!;
        shape[axis] = shape[axis]! + pads[i]! + pads[i + axes.length]!;
      }
      const mode = attributes.string("mode");
      if (mode !== "constant") return [padByEdges(x, { pads, axes, shape, mode })];
      const padded = empty(x, shape);
      if (inputs[2]) (padded.data as Numbers).fill(inputs[2].data[0] as number); // int64 is filled with its own kind
      // What stays of x: a strided view of the source beside a strided view of the target.
      const from = begins.map((begin) => Math.max(0, -begin));
      const to = begins.map((begin) => Math.max(0, begin));
      const size = shape.map((length, axis) => Math.max(0, Math.min(x.shape[axis]! - from[axis]!, length - to[axis]!)));
      const source = stridedIndices(size, stridesOf(x.shape), dot(from, stridesOf(x.shape)));
      const target = stridedIndices(size, stridesOf(shape), dot(to, stridesOf(shape)));
      scatter(x.data as Numbers, source, padded.data as Numbers, target); // elements are only moved
      return [padded];
    },
};

interface EdgePads {
  readonly pads: readonly number[];
  readonly axes: readonly number[];
  readonly shape: readonly number[];
  readonly mode: string;
}

/** Each element comes from the place that its own coordinates are mirrored, clamped or wrapped to, within what is not cut off. */
function padByEdges(x: NumericTensor, { pads, axes, shape, mode }: EdgePads): NumericTensor {
  return rearranged(x, shape, (at) =>
    at.map((place, axis) => {
      const i = axes.indexOf(axis);
      if (i < 0) return place;
      const [before, after] = [pads[i]!, pads[i + axes.length]!];
      const first = Math.max(0, -before);
      const last = x.shape[axis]! - 1 + Math.min(0, after);
      const source = place - before;
      if (source >= first && source <= last) return source;
      if (mode === "edge") return clamp(source, first, last);
      if (mode === "reflect") return source < first ? 2 * first - source : 2 * last - source;
      return source < first ? source + (last - first + 1) : source - (last - first + 1);
    }),
  );
}

function empty(like: NumericTensor, shape: readonly number[]): NumericTensor {
  return { dtype: like.dtype, shape, data: allocate(like.dtype, elementCount(shape)) };
}

/** Writes a part into the whole, which differs from it in one axis; `offset` is the part's first element. */
function place(part: NumericTensor, whole: NumericTensor, offset: number): void {
  const target = stridedIndices(part.shape, stridesOf(whole.shape), offset);
  scatter(part.data as Numbers, undefined, whole.data as Numbers, target); // elements are only moved
}

function scatter(source: Numbers, from: Int32Array | undefined, target: Numbers, to: Int32Array): void {
  for (let i = 0; i < to.length; i += 1) target[to[i]!] = source[from ? from[i]! : i]!;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
