import { EspalierError } from "../errors.ts";
import type { Graph } from "./graph.ts";
import { lower, type Supports } from "./lower.ts";
import { rewrite } from "./rewrite.ts";
import { simplify } from "./simplify.ts";

/**
 * The graph for one batch size: "batch" becomes a number everywhere, types are inferred again, and what then is constant (sizes, shapes) is folded.
 *
 * @param size at least 1
 * @param supports with it, the graph is also lowered to what a backend has: some lowerings need every size
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the graph's own constants do not allow this size; BACKEND_OPERATOR_MISSING
 */
export function bindBatch(graph: Graph, size: number, { supports }: { readonly supports?: Supports } = {}): Graph {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `a batch size must be a whole number from 1, not ${size}`, { size });
  }
  const bound = simplify(rewrite(graph, { shape: (shape) => shape.map((dimension) => (dimension === "batch" ? size : dimension)) }));
  const lowered = supports === undefined ? bound : lower(bound, supports);
  return lowered === bound ? bound : simplify(lowered);
}
