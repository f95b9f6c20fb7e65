import { EspalierError } from "../errors.ts";
import { formatShape, type ValueType } from "../graph/graph.ts";
import { tensor } from "../tensor.ts";
import type { Emitter, Value } from "./operator.ts";

/**
 * The sizes of a value in a graph whose batch size is bound, as graphs are when backends lower them.
 *
 * @throws GRAPH_SHAPE when the batch size is still open
 */
export function staticShape({ shape }: ValueType): readonly number[] {
  return shape.map((size) => {
    if (size !== "batch") return size;
    throw new EspalierError("GRAPH_SHAPE", `the shape ${formatShape(shape)} must be known for this lowering; bind the batch size first (bindBatch)`, {
      shape,
    });
  });
}

/** 0, 1, ... along `axis` of a value of this rank, 1 along the others: int64. */
export function positionsAlong(emit: Emitter, { axis, size, rank }: { axis: number; size: number; rank: number }): Value {
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? size : 1));
  return emit.constant(
    tensor(
      "int64",
      shape,
      Array.from({ length: size }, (_, i) => i),
    ),
  );
}

/** An axis counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** 0 to count - 1. */
export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
