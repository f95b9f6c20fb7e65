import { EspalierError } from "../errors.ts";
import type { Graph } from "./graph.ts";
import { rewrite } from "./rewrite.ts";
import { simplify } from "./simplify.ts";

/**
 * The graph for one batch size: "batch" becomes a number everywhere, types are inferred again, and what then is constant (sizes, shapes) is folded.
 *
 * @param size at least 1
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the graph's own constants do not allow this size
 */
export function bindBatch(graph: Graph, size: number): Graph {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `a batch size must be a whole number from 1, not ${size}`, { size });
  }
  return simplify(rewrite(graph, { shape: (shape) => shape.map((dimension) => (dimension === "batch" ? size : dimension)) }));
}
