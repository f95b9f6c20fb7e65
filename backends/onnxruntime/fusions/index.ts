import type { Graph, Node, ValueName } from "../../../core/index.ts";
import { batchNormalizationActivationGrad } from "./batch-normalization-activation-grad.ts";
import { batchNormalizationActivation } from "./batch-normalization-activation.ts";
import type { Fused, Fusion, FusionContext } from "./fusion.ts";

/** Fusions, the first that matches a node wins. Adding one is one file and one line here. */
const table: readonly Fusion[] = [batchNormalizationActivation, batchNormalizationActivationGrad];

/** What takes the place of nodes of a graph. */
export function findFusions(graph: Graph): ReadonlyMap<Node, Fused> {
  const producers = new Map<ValueName, Node>();
  const counts = new Map<ValueName, number>();
  const count = (value: ValueName): void => void counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    node.inputs.forEach(count);
  }
  for (const value of Object.values(graph.outputs)) count(value);
  const context: FusionContext = {
    graph,
    producer(value, operator) {
      const node = producers.get(value ?? "");
      return operator === undefined || node?.operator === operator ? node : undefined;
    },
    uses: (value) => counts.get(value) ?? 0,
  };
  return new Map(
    graph.nodes.flatMap((node) => {
      for (const fusion of table) {
        const fused = fusion.match(node, context);
        if (fused !== undefined) return [[node, fused] as const];
      }
      return [];
    }),
  );
}
