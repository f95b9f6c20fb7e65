/** Which layer imports which: every layer to the layers that it imports. */
export type LayerGraph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Leaves out what follows from the rest: an edge goes when its end is reached through a third layer too. Layers that import one another are kept as
 * one on such a way, so that every edge among them stays.
 */
export function reduceLayers(graph: LayerGraph): LayerGraph {
  const reached = new Map([...graph.keys()].map((layer) => [layer, reach(graph, layer)] as const));
  const leadsTo = (from: string, to: string): boolean => reached.get(from)?.has(to) === true;
  const together = (a: string, b: string): boolean => a === b || (leadsTo(a, b) && leadsTo(b, a));
  return new Map(
    [...graph].map(([from, imported]) => {
      const follows = (to: string): boolean =>
        !together(from, to) && [...graph.keys()].some((way) => !together(way, from) && !together(way, to) && leadsTo(from, way) && leadsTo(way, to));
      return [from, new Set([...imported].filter((to) => !follows(to)))] as const;
    }),
  );
}

/** A diagram for mermaid: `core` and `backends` are boxes around their folders; an arrow points to what is imported. */
export function drawLayers(graph: LayerGraph): string {
  const layers = [...graph.keys()].toSorted();
  const inBox = (box: string): string[] => layers.filter((layer) => layer.startsWith(`${box}/`)).map((layer) => `  ${draw(layer)}`);
  const boxes = ["core", "backends"].map((box) => [`  subgraph ${box}`, ...inBox(box), "  end"].join("\n"));
  const others = layers.filter((layer) => !/^(core|backends)(\/|$)/.test(layer)).map(draw);
  const arrows = [...graph].flatMap(([from, imported]) => [...imported].map((to) => `  ${identifier(from)} --> ${identifier(to)}`)).toSorted();
  return ["```mermaid", "flowchart TD", ...others, ...boxes, ...arrows, "```"].join("\n");
}

function reach(graph: LayerGraph, start: string): ReadonlySet<string> {
  const reached = new Set(graph.get(start));
  for (const layer of reached) for (const next of graph.get(layer) ?? []) reached.add(next); // what is added meanwhile is visited too
  return reached;
}

function draw(layer: string): string {
  return `  ${identifier(layer)}["${layer}"]`;
}

function identifier(layer: string): string {
  return layer.replaceAll(/[^a-z0-9]/g, "_");
}
