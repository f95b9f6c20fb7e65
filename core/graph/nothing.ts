import { elementCount, tensor, type DType, type Tensor } from "../tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Node, ValueType } from "./graph.ts";

/** What each reduction of no elements is. */
const reductionsOfNothing: Readonly<Record<string, number>> = {
  MatMul: 0,
  ReduceL1: 0,
  ReduceL2: 0,
  ReduceLogSum: -Infinity,
  ReduceLogSumExp: -Infinity,
  ReduceMax: -Infinity,
  ReduceMean: NaN,
  ReduceMin: Infinity,
  ReduceProd: 1,
  ReduceSum: 0,
  ReduceSumSquare: 0,
};

/** A value without elements, where the shape says so whatever the batch size. */
export function emptyConstant({ dtype, shape }: ValueType): Tensor | undefined {
  const sizes = shape.filter((size) => size !== "batch");
  return sizes.length === shape.length && sizes.includes(0) ? tensor(dtype, sizes, []) : undefined;
}

/**
 * The number that fills what a node makes of no elements: the sum over an empty axis is 0. Kernels of many backends leave such memory unwritten,
 * or shape it otherwise.
 *
 * @returns undefined where the node has elements to work on, is no reduction, or has no value for an element type (whole numbers have no infinity)
 */
export function fillOfNothing(
  builder: GraphBuilder,
  node: Node,
  { dtype, shape }: ValueType,
): { readonly value: number; readonly shape: readonly number[] } | undefined {
  const value = reductionsOfNothing[node.operator];
  const sizes = shape.filter((size) => size !== "batch");
  const x = builder.value(node.inputs[0] ?? "");
  if (value === undefined || !x.shape.includes(0) || sizes.length !== shape.length || elementCount(sizes) === 0) return undefined;
  return hasValue(dtype, value) ? { value, shape: sizes } : undefined;
}

function hasValue(dtype: DType, value: number): boolean {
  return Number.isFinite(value) || dtype.startsWith("float");
}
