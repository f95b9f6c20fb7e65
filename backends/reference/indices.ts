import { allocate, elementCount } from "../../core/index.ts";
import type { Numbers, NumericTensor } from "./kernel.ts";

// Every operator that only moves elements is a list of source positions, one for each element of the result. Slow, and plain to see.

/** Elements between neighbours along each axis of a dense, row-major tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis -= 1) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Source positions of a strided view: `offset + sum(index * stride)` for each index of `shape`, in row-major order. */
export function stridedIndices(shape: readonly number[], strides: readonly number[], offset = 0): Int32Array {
  const count = elementCount(shape);
  const indices = new Int32Array(count);
  if (count === 0) return indices;
  const inner = shape.at(-1) ?? 1;
  const innerStride = strides.at(-1) ?? 0;
  const outer = shape.slice(0, -1);
  const index = outer.map(() => 0);
  let position = offset;
  for (let start = 0; start < count; start += inner) {
    for (let i = 0; i < inner; i += 1) indices[start + i] = position + i * innerStride;
    for (let axis = outer.length - 1; axis >= 0; axis -= 1) {
      index[axis] = index[axis]! + 1;
      position += strides[axis]!;
      if (index[axis]! < outer[axis]!) break;
      position -= outer[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return indices;
}

/** The common shape of broadcast operands. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/** Strides that read a tensor as if it had a larger shape: 0 along the axes that are repeated. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const dense = stridesOf(from);
  return to.map((_, axis) => {
    const source = axis - to.length + from.length;
    return source < 0 || from[source] === 1 ? 0 : dense[source]!;
  });
}

/** The tensor repeated to a larger shape; the tensor itself when it has that shape. */
export function broadcastTo(tensor: NumericTensor, shape: readonly number[]): NumericTensor {
  if (elementCount(tensor.shape) === elementCount(shape)) return { ...tensor, shape };
  return take(tensor, shape, stridedIndices(shape, broadcastStrides(tensor.shape, shape)));
}

/** The elements at these positions, in a new tensor. */
export function take(tensor: NumericTensor, shape: readonly number[], positions: Int32Array): NumericTensor {
  const data = allocate(tensor.dtype, positions.length);
  moveElements(tensor.data as Numbers, data as Numbers, positions); // elements are only moved, so 64-bit whole numbers pass as well
  return { dtype: tensor.dtype, shape, data };
}

function moveElements(source: Numbers, target: Numbers, positions: Int32Array): void {
  for (let i = 0; i < positions.length; i += 1) target[i] = source[positions[i]!]!;
}
