import { dtypeCodes } from "./cast.ts";
import type { Dimension } from "../graph/graph.ts";
import type { DType } from "../tensor.ts";
import { sameShape, type Emitter, type Value } from "./operator.ts";
import { symbolicCount } from "./shapes.ts";

/** Adds up what broadcasting copied, so that a gradient has its operand's shape again. */
export function sumTo(emit: Emitter, gradient: Value, shape: readonly Dimension[]): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const extra = gradient.shape.length - shape.length;
  const leading = Array.from({ length: extra }, (_, i) => i);
  const copied = shape.flatMap((size, i) => (size === 1 && gradient.shape[extra + i] !== 1 ? [extra + i] : []));
  const kept = copied.length === 0 ? gradient : emit.op("ReduceSum", [gradient, emit.ints(copied)], { keepdims: 1 });
  return leading.length === 0 ? kept : emit.op("ReduceSum", [kept, emit.ints(leading)], { keepdims: 0 });
}

/** A value's shape as an int64 vector: a constant where it is known. */
export function shapeOf(emit: Emitter, value: Value): Value {
  const sizes = value.shape.filter((size) => size !== "batch");
  return sizes.length === value.shape.length ? emit.ints(sizes) : emit.op("Shape", [value]);
}

/** The same elements in the shape of `like`. */
export function reshapeTo(emit: Emitter, value: Value, like: Value): Value {
  if (sameShape(value.shape, like.shape)) return value;
  const isOpen = like.shape.filter((size) => size === "batch").length > (like.shape.includes(0) ? 0 : 1); // nothing says what a -1 would be
  if (!isOpen) return reshape(emit, value, like.shape);
  return emit.op("Reshape", [value, emit.op("Shape", [like])], like.shape.includes(0) ? { allowzero: 1 } : {});
}

/** The same elements in a shape with at most one "batch". */
export function reshape(emit: Emitter, value: Value, shape: readonly Dimension[]): Value {
  if (sameShape(value.shape, shape)) return value;
  const batch = value.shape.indexOf("batch");
  if (shape.includes(0) && shape.includes("batch") && batch >= 0) {
    // Beside a 0, nothing says what a -1 would be: the batch is read off the value.
    const sizes = shape.map((size) => (size === "batch" ? emit.op("Shape", [value], { start: batch, end: batch + 1 }) : emit.ints([size])));
    return emit.op("Reshape", [value, emit.op("Concat", sizes, { axis: 0 })], { allowzero: 1 });
  }
  return emit.op("Reshape", [value, emit.ints(shape.map((size) => (size === "batch" ? -1 : size)))], shape.includes(0) ? { allowzero: 1 } : {});
}

/** `value` copied along axes of size 1 until it has the shape of `like`. */
export function broadcastTo(emit: Emitter, value: Value, like: Value): Value {
  return sameShape(value.shape, like.shape) ? value : emit.op("Expand", [value, shapeOf(emit, like)]);
}

/** A condition as numbers, 0 or 1, of a float value's type. */
export function asNumber(emit: Emitter, condition: Value, like: Value): Value {
  return emit.op("Cast", [condition], { to: dtypeCodes[like.dtype] });
}

/** Zeros in the shape of `like`, whatever it holds. */
export function zerosLike(emit: Emitter, like: Value): Value {
  return emit.op("Expand", [emit.scalar(0, like.dtype), shapeOf(emit, like)]);
}

/** Where `spread` puts elements: at `before`, `before + step`, ... on an axis of `size`. */
export interface SpreadOptions {
  readonly axis: number;
  readonly step: number;
  readonly before: number;
  readonly size: number;
}

/**
 * The reverse of taking every `step`-th element of an axis from `before` on: zeros everywhere else. What would lie outside the axis is dropped.
 */
export function spread(emit: Emitter, value: Value, { axis, step, before, size }: SpreadOptions): Value {
  const spaced = step === 1 ? value : withGaps(emit, value, axis, step);
  const rank = spaced.shape.length;
  const after = size - before - Number(spaced.shape[axis]);
  const padded = before > 0 || after > 0 ? emit.op("Pad", [spaced, emit.ints(padsOf(rank, axis, Math.max(before, 0), Math.max(after, 0)))]) : spaced;
  if (before >= 0 && after >= 0) return padded;
  const start = Math.max(0, -before);
  return emit.op("Slice", [padded, emit.ints([start]), emit.ints([start + size]), emit.ints([axis])]);
}

/** Each element followed by `step - 1` zeros. */
function withGaps(emit: Emitter, value: Value, axis: number, step: number): Value {
  const column = emit.op("Unsqueeze", [value, emit.ints([axis + 1])]);
  const padded = emit.op("Pad", [column, emit.ints(padsOf(column.shape.length, axis + 1, 0, step - 1))]);
  return reshape(emit, padded, value.shape.with(axis, Number(value.shape[axis]) * step));
}

/** ONNX's pads, all the begins and then all the ends, for one axis. */
function padsOf(rank: number, axis: number, before: number, after: number): readonly number[] {
  return Array.from({ length: 2 * rank }, (_, i) => (i === axis ? before : i === rank + axis ? after : 0));
}

/** How many elements meet along axes, the batch's too, as a scalar of a float type. */
export function countAlong(emit: Emitter, value: Value, { axes, dtype }: { axes: readonly number[]; dtype: DType }): Value {
  const { count } = symbolicCount(axes.map((axis) => value.shape[axis] ?? 1));
  const batches = axes.filter((axis) => value.shape[axis] === "batch");
  const sizes = batches.map((axis) => {
    const size = emit.op("Cast", [emit.op("Shape", [value], { start: axis, end: axis + 1 })], { to: dtypeCodes[dtype] });
    return emit.op("Reshape", [size, emit.ints([])]);
  });
  const factors = count === 1 && sizes.length > 0 ? sizes : [emit.scalar(count, dtype), ...sizes];
  return factors.reduce((a, b) => emit.op("Mul", [a, b]));
}
