import type { OnnxGraph, OnnxNode } from "../onnx-model.ts";

/** The branches of a node. */
export function branchesOf(node: OnnxNode): readonly OnnxGraph[] {
  return Object.values(node.attributes).flatMap((attribute) => (attribute.kind === "graph" ? [attribute.value] : []));
}

/** Every node of a graph, those in branches too. */
export function* allNodes(graph: OnnxGraph): Generator<OnnxNode> {
  for (const node of graph.nodes) {
    yield node;
    for (const branch of branchesOf(node)) yield* allNodes(branch);
  }
}

/** Every name that a graph or one of its branches reads or returns. */
export function* namesRead(graph: OnnxGraph): Generator<string> {
  for (const { name } of graph.outputs) yield name;
  for (const node of graph.nodes) {
    yield* node.inputs;
    for (const branch of branchesOf(node)) yield* namesRead(branch);
  }
}

/** Every name that a model gives to a value, a tensor or a node. */
export function* namesGiven(graph: OnnxGraph): Generator<string> {
  yield* Object.keys(graph.initializers);
  for (const { name } of graph.inputs) yield name;
  for (const node of graph.nodes) {
    yield node.name;
    yield* node.outputs;
    for (const branch of branchesOf(node)) yield* namesGiven(branch);
  }
}

/** The nodes that a graph's outputs depend on, in their order. */
export function neededNodes(graph: OnnxGraph): readonly OnnxNode[] {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => output !== "" && needed.has(output))) return false;
    for (const name of node.inputs) needed.add(name);
    for (const branch of branchesOf(node)) for (const name of namesRead(branch)) needed.add(name);
    return true;
  });
  return nodes.toReversed();
}
