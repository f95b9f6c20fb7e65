import { expect, test } from "vitest";
import { drawLayers, reduceLayers, type LayerGraph } from "./layer-graph.ts";

test("an edge that follows from two others is left out", () => {
  expect(edges(reduceLayers(graph(["a b", "b c", "a c"])))).toEqual(["a b", "b c"]);
});

test("layers that import one another keep all their edges, and what both import is drawn from both", () => {
  const cyclic = ["a b", "b a", "a c", "b c"];
  expect(edges(reduceLayers(graph(cyclic)))).toEqual(cyclic.toSorted());
});

test("an edge past a pair of layers that import one another is left out", () => {
  expect(edges(reduceLayers(graph(["top a", "top c", "a b", "b a", "b c"])))).toEqual(["a b", "b a", "b c", "top a"]);
});

test("folders of core are drawn in its box, and an arrow may point at the box", () => {
  expect(drawLayers(graph(["core/graph core/operators", "node core"])).split("\n")).toEqual([
    "```mermaid",
    "flowchart TD",
    '  node["node"]',
    "  subgraph core",
    '    core_graph["core/graph"]',
    '    core_operators["core/operators"]',
    "  end",
    "  subgraph backends",
    "  end",
    "  core_graph --> core_operators",
    "  node --> core",
    "```",
  ]);
});

function graph(pairs: readonly string[]): LayerGraph {
  const split = pairs.map((pair) => pair.split(" "));
  const layers = new Set(split.flat());
  return new Map([...layers].map((layer) => [layer, new Set(split.flatMap(([from, to]) => (from === layer && to !== undefined ? [to] : [])))]));
}

function edges(reduced: LayerGraph): string[] {
  return [...reduced].flatMap(([from, imported]) => [...imported].map((to) => `${from} ${to}`)).toSorted();
}
