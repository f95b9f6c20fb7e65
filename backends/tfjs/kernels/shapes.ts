import * as tf from "@tensorflow/tfjs-core";
import { sliceRange } from "../../../core/index.ts";
import { full, toFloats } from "./elementwise.ts";
import { constantInts, fromFront, type Kernel, type KernelContext, type Kernels } from "./kernel.ts";

/** Whatever only gives the same elements another shape: shapes are inferred before running. */
const reshape: Kernel = { run: ({ input, outputType }) => tf.reshape(input(0), [...outputType.shape]) };

/** Operators that move elements. */
export const shapes: Kernels = {
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Expand: { run: expand },
  Transpose: { run: transpose },
  Concat: { run: concat },
  Slice: { run: slice },
  Shape: { run: ({ inputType, attributes }) => tf.tensor1d(shapePart(inputType(0).shape, attributes), "int32") },
};

function expand({ input, outputType }: KernelContext): tf.Tensor {
  const x = input(0);
  if (outputType.shape.includes(0)) return tf.zeros([...outputType.shape], x.dtype);
  return tf.clone(full(x, outputType.shape));
}

function transpose({ input, attributes, device }: KernelContext): tf.Tensor {
  const x = input(0);
  const perm = attributes.has("perm") ? [...attributes.ints("perm")] : undefined;
  // The webgpu device's shader for whole numbers does not compile (tfjs 4.22); floats hold them up to 2^24.
  if (device !== "webgpu" || x.dtype === "float32") return tf.transpose(x, perm);
  return tf.cast(tf.transpose(toFloats(x, device), perm), x.dtype);
}

function concat({ inputs, input, attributes, outputType }: KernelContext): tf.Tensor {
  const axis = fromFront(attributes.int("axis"), input(0).rank);
  // A part without elements would be refused by some kernels and adds nothing.
  const parts = inputs.filter((part) => part !== undefined).filter((part) => part.size > 0);
  if (parts.length === 0) return tf.zeros([...outputType.shape], input(0).dtype);
  return parts.length === 1 ? tf.clone(parts[0] as tf.Tensor) : tf.concat(parts, axis); // its length was just read
}

function slice(context: KernelContext): tf.Tensor {
  const x = context.input(0);
  const ranges = sliceRanges(context, x.shape);
  if (ranges.some((range) => range.count === 0)) return tf.zeros([...context.outputType.shape], x.dtype);
  if (ranges.every((range) => range.step === 1))
    return tf.slice(
      x,
      ranges.map((range) => range.first),
      ranges.map((range) => range.count),
    );
  // Steps are taken by picking: strided slices differ between devices in how they take negative ones.
  return ranges.reduce<tf.Tensor>((part, range, axis) => {
    if (range.step === 1 && range.count === part.shape[axis]) return part;
    const picked = Int32Array.from({ length: range.count }, (_, i) => range.first + i * range.step);
    return tf.gather(part, tf.tensor1d(picked, "int32"), axis);
  }, x);
}

function sliceRanges(context: KernelContext, shape: readonly number[]): readonly ReturnType<typeof sliceRange>[] {
  const starts = constantInts(context, 1) ?? [];
  const ends = constantInts(context, 2) ?? [];
  const axes = (constantInts(context, 3) ?? starts.map((_, i) => i)).map((axis) => fromFront(axis, shape.length));
  const steps = constantInts(context, 4) ?? starts.map(() => 1);
  return shape.map((size, axis) => {
    const i = axes.indexOf(axis);
    return i < 0 ? { first: 0, count: size, step: 1 } : sliceRange(size, { start: starts[i] ?? 0, end: ends[i] ?? size, step: steps[i] ?? 1 });
  });
}

function shapePart(shape: readonly number[], attributes: KernelContext["attributes"]): number[] {
  const start = attributes.has("start") ? attributes.int("start") : 0;
  return shape.slice(start, attributes.has("end") ? attributes.int("end") : undefined);
}
