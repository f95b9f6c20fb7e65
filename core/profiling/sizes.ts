import type { Graph } from "../graph/graph.ts";
import { bytesPerElement, elementCount, type Tensors } from "../tensor.ts";

/** The types of a graph's values, and what "batch" stands for in them. */
export interface BoundTypes {
  readonly types: Graph["values"];
  readonly batch: number;
}

/** A value's sizes. */
export function sizesOf(name: string, { types, batch }: BoundTypes): readonly number[] {
  return (types[name]?.shape ?? []).map((size) => (size === "batch" ? batch : size));
}

/** A value's bytes; strings count as none. */
export function valueBytes(name: string, bound: BoundTypes): number {
  const type = bound.types[name];
  return type === undefined || type.dtype === "string" ? 0 : elementCount(sizesOf(name, bound)) * bytesPerElement[type.dtype];
}

/** The size of the symbolic dimension in some feeds; 1 for a graph without. */
export function batchOf(graph: Graph, feeds: Tensors): number {
  for (const { name, shape } of graph.inputs) {
    const axis = shape.indexOf("batch");
    if (axis >= 0) return feeds[name]?.shape[axis] ?? 1;
  }
  return 1;
}
