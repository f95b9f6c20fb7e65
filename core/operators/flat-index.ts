import { elementCount, tensor } from "../tensor.ts";
import { dtypeCodes } from "./cast.ts";
import type { Emitter, Value } from "./operator.ts";
import { positionsAlong } from "./static-shape.ts";

/** Indices as int64, the negative ones counted from the front of an axis of `size`. */
export function frontIndices(emit: Emitter, indices: Value, size: number): Value {
  const wide = indices.dtype === "int64" ? indices : emit.op("Cast", [indices], { to: dtypeCodes.int64 });
  const moved = emit.op("Add", [wide, emit.scalar(size, "int64")]);
  return emit.op("Where", [emit.op("Less", [wide, emit.scalar(0, "int64")]), moved, wide]);
}

/**
 * Where GatherElements and ScatterElements look, as places in the flattened data: each index goes in for its own place along `axis`.
 *
 * @param indices [...], whole numbers
 * @param shape of the data, of the same rank
 * @returns int64 in the shape of `indices`
 */
export function elementPlaces(emit: Emitter, indices: Value, { shape, axis }: { shape: readonly number[]; axis: number }): Value {
  const rank = shape.length;
  const stride = (along: number): Value => emit.scalar(elementCount(shape.slice(along + 1)), "int64");
  const chosen = emit.op("Mul", [frontIndices(emit, indices, shape[axis] ?? 1), stride(axis)]);
  return shape.reduce((places, _, along) => {
    const size = Number(indices.shape[along]);
    if (along === axis || size === 1) return places;
    return emit.op("Add", [places, emit.op("Mul", [positionsAlong(emit, { axis: along, size, rank }), stride(along)])]);
  }, chosen);
}

/**
 * Where GatherND and ScatterND look, as numbers of blocks of the data: the first `batch` axes run along with the indices, the last axis of
 * `indices` indexes the axes after them.
 *
 * @param indices [..., q], int64
 * @param shape of the data
 * @returns int64 in the shape of `indices` without its last axis
 */
export function blockPlaces(emit: Emitter, indices: Value, { shape, batch }: { shape: readonly number[]; batch: number }): Value {
  const depth = Number(indices.shape.at(-1));
  const sizes = shape.slice(batch, batch + depth);
  const strides = sizes.map((_, i) => elementCount(sizes.slice(i + 1)));
  const vector = (values: readonly number[]): Value => emit.constant(tensor("int64", [values.length], values));
  const moved = emit.op("Add", [indices, vector(sizes)]);
  const front = emit.op("Where", [emit.op("Less", [indices, emit.scalar(0, "int64")]), moved, indices]);
  const inside = emit.op("ReduceSum", [emit.op("Mul", [front, vector(strides)]), emit.ints([-1])], { keepdims: 0 });
  const block = elementCount(sizes);
  const rank = inside.shape.length;
  return shape.slice(0, batch).reduce((places, size, axis) => {
    const stride = elementCount(shape.slice(axis + 1, batch)) * block;
    return emit.op("Add", [places, emit.op("Mul", [positionsAlong(emit, { axis, size, rank }), emit.scalar(stride, "int64")])]);
  }, inside);
}
