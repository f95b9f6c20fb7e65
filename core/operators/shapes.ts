import { formatShape, type Dimension, type ValueType } from "../graph/graph.ts";
import type { DType } from "../tensor.ts";
import type { InferContext } from "./operator.ts";

/** The element types that arithmetic works on. */
export const numberTypes: readonly DType[] = ["float32", "float64", "float16", "int32", "int64", "uint8"];

/** The element types that can be moved, selected and cast: all but strings. */
export const movableTypes: readonly DType[] = [...numberTypes, "bool"];

/** The element types that have gradients. */
export const floatTypes: readonly DType[] = ["float32", "float64", "float16"];

/** The element types that have a sign. */
export const signedTypes: readonly DType[] = [...floatTypes, "int32", "int64"];

/** Whether values of this type have gradients. */
export function isFloat(dtype: DType): boolean {
  return floatTypes.includes(dtype);
}

/** A required input of one of these element types. @throws GRAPH_SHAPE */
export function typed(context: InferContext, index: number, dtypes: readonly DType[]): ValueType {
  const input = context.input(index);
  if (!dtypes.includes(input.dtype)) context.fail(`input ${index} must be ${dtypes.join(" or ")}, not ${input.dtype}`);
  return input;
}

/** Required inputs that share one of these element types. @throws GRAPH_SHAPE naming both types */
export function alike(context: InferContext, indices: readonly number[], dtypes: readonly DType[]): readonly ValueType[] {
  const inputs = indices.map((index) => typed(context, index, dtypes));
  inputs.forEach((input, i) => {
    if (input.dtype !== inputs[0]?.dtype) {
      context.fail(`input ${indices[i]} is ${input.dtype}, but input ${indices[0]} is ${inputs[0]?.dtype}; add a Cast`);
    }
  });
  return inputs;
}

/**
 * The common shape of values under NumPy's broadcasting. "batch" goes with "batch" and 1 only.
 *
 * @throws GRAPH_SHAPE naming both shapes
 * @see https://onnx.ai/onnx/repo-docs/Broadcasting.html
 */
export function broadcast(context: InferContext, shapes: readonly (readonly Dimension[])[]): readonly Dimension[] {
  return shapes.reduce((a, b) => {
    const rank = Math.max(a.length, b.length);
    return Array.from({ length: rank }, (_, i) => {
      const left = a[a.length - rank + i] ?? 1;
      const right = b[b.length - rank + i] ?? 1;
      if (left === right || right === 1) return left;
      if (left === 1) return right;
      return context.fail(`shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${left} is not ${right}`);
    });
  }, []);
}

/** An axis counted from the front. @throws GRAPH_SHAPE when it is outside the rank */
export function axisOf(context: InferContext, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) context.fail(`axis ${axis} is outside rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, each at most once. @throws GRAPH_SHAPE */
export function axesOf(context: InferContext, axes: readonly number[], rank: number): readonly number[] {
  const normal = axes.map((axis) => axisOf(context, axis, rank));
  if (new Set(normal).size !== normal.length) context.fail(`axes ${formatShape(axes)} name an axis twice`);
  return normal;
}

/** The contents of an int64 (or int32) input that must be known while building. @throws GRAPH_SHAPE */
export function knownInts(context: InferContext, index: number, what: string): readonly number[] {
  const values = optionalInts(context, index, what);
  return values ?? context.fail(`${what} (input ${index}) is missing`);
}

/** As `knownInts`; undefined when the input is left out. */
export function optionalInts(context: InferContext, index: number, what: string): readonly number[] | undefined {
  const input = context.inputs[index];
  if (input === undefined) return undefined;
  if (input.dtype !== "int64" && input.dtype !== "int32") context.fail(`${what} (input ${index}) must be int64 or int32, not ${input.dtype}`);
  if (input.shape.length > 1) context.fail(`${what} (input ${index}) must be a vector, not ${formatShape(input.shape)}`);
  const values = context.dimensions(index) ?? context.fail(`${what} (input ${index}) must be an int64 constant`);
  return values.map((value) => (value === "batch" ? context.fail(`${what} (input ${index}) cannot hold the batch size`) : value));
}

/** A number of elements that may hold the batch size as a factor: `count * batch^batches`. */
export interface SymbolicCount {
  readonly count: number;
  readonly batches: number;
}

/** The number of elements of a shape. */
export function symbolicCount(shape: readonly Dimension[]): SymbolicCount {
  return {
    count: shape.reduce<number>((product, size) => (size === "batch" ? product : product * size), 1),
    batches: shape.filter((size) => size === "batch").length,
  };
}

/** The product of dimensions as one dimension. @throws GRAPH_SHAPE for a multiple or a power of the batch size */
export function productOf(context: InferContext, shape: readonly Dimension[]): Dimension {
  const { count, batches } = symbolicCount(shape);
  if (batches === 0) return count;
  if (batches === 1 && count === 1) return "batch";
  return context.fail(`the product of ${formatShape(shape)} is not one dimension: only batch itself may stay symbolic`);
}

/** Sizes without the batch symbol. @throws GRAPH_SHAPE when the batch size is in it */
export function staticSizes(context: InferContext, shape: readonly Dimension[], what: string): readonly number[] {
  return shape.map((size) => (size === "batch" ? context.fail(`${what} cannot be the batch dimension in ${formatShape(shape)}`) : size));
}
