import { toNumbers, type Graph, type Node, type ValueName } from "../../../core/index.ts";
import { activationGrad } from "./activation-grad.ts";
import { batchNormalizationActivationGrad } from "./batch-normalization-activation-grad.ts";
import { batchNormalizationActivation } from "./batch-normalization-activation.ts";
import { maxPoolActivationGrad } from "./max-pool-activation-grad.ts";
import type { Fused, Fusion, FusionContext } from "./fusion.ts";
import { geluGrad } from "./gelu-grad.ts";
import { layerNormalizationGrad } from "./layer-normalization-grad.ts";
import { mergeHeads, splitHeads } from "./heads.ts";
import { residualNormalization } from "./residual-normalization.ts";
import { normalizedDepthwise, normalizedWeightGrad } from "./normalized-depthwise.ts";
import { softmaxGrad } from "./softmax-grad.ts";

/** Fusions, the first that matches a node wins. Adding one is one file and one line here. */
const table: readonly Fusion[] = [
  batchNormalizationActivation,
  batchNormalizationActivationGrad,
  geluGrad,
  layerNormalizationGrad,
  maxPoolActivationGrad,
  mergeHeads,
  normalizedDepthwise,
  normalizedWeightGrad,
  residualNormalization,
  softmaxGrad,
  splitHeads,
  activationGrad, // last: others take it along
];

/** Fusions that products as machine code do without: they read and write heads where they are. */
const withoutProducts: ReadonlySet<Fusion> = new Set([mergeHeads, splitHeads]);

/** What takes the place of nodes of a graph. @param options.products whether products are machine code */
export function findFusions(context: FusionContext, { products = false }: { readonly products?: boolean } = {}): ReadonlyMap<Node, Fused> {
  const fusions = table.filter((fusion) => !products || !withoutProducts.has(fusion));
  return new Map(
    context.graph.nodes.flatMap((node) => {
      for (const fusion of fusions) {
        const fused = fusion.match(node, context);
        if (fused !== undefined) return [[node, fused] as const];
      }
      return [];
    }),
  );
}

/** What nodes are looked for with. */
export function fusionContext(graph: Graph): FusionContext {
  const producers = new Map<ValueName, Node>();
  const readers = new Map<ValueName, Node[]>();
  const places = new Map(graph.nodes.map((node, place) => [node, place] as const));
  const results = new Map<ValueName, number>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  }
  for (const value of Object.values(graph.outputs)) results.set(value, (results.get(value) ?? 0) + 1);
  return {
    graph,
    producer(value, operator) {
      const node = producers.get(value ?? "");
      return operator === undefined || node?.operator === operator ? node : undefined;
    },
    uses: (value) => (readers.get(value)?.length ?? 0) + (results.get(value) ?? 0),
    readers: (value) => readers.get(value) ?? [],
    isBefore: (node, other) => (places.get(node) ?? 0) < (places.get(other) ?? 0),
    number(value) {
      const constant = graph.constants[value ?? ""];
      return constant?.shape.every((size) => size === 1) === true ? toNumbers(constant)[0] : undefined;
    },
  };
}
