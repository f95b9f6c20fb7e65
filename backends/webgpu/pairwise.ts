import type { Dimension, Graph, Node, ValueName, ValueType } from "../../core/index.ts";

const variadic: ReadonlySet<string> = new Set(["Max", "Min"]);

/**
 * Extremes of many values as chains of extremes of two: a kernel binds a few values only, and fusion puts as many pairs into one as fit.
 *
 * @param graph of fixed sizes
 */
export function pairExtremes(graph: Graph): Graph {
  if (!graph.nodes.some((node) => variadic.has(node.operator) && node.inputs.length > 2)) return graph;
  const values: Record<ValueName, ValueType> = { ...graph.values };
  const nodes = graph.nodes.flatMap((node) => (variadic.has(node.operator) && node.inputs.length > 2 ? chain(node, values) : [node]));
  return { ...graph, nodes, values };
}

function chain(node: Node, values: Record<ValueName, ValueType>): readonly Node[] {
  const [output = ""] = node.outputs;
  const [first = "", ...rest] = node.inputs;
  let before = first;
  return rest.map((next, i) => {
    const name = i === rest.length - 1 ? output : `${node.name}/pair ${i}`;
    const [a, b] = [values[before]?.shape ?? [], values[next]?.shape ?? []];
    values[name] = { dtype: values[output]?.dtype ?? "float32", shape: i === rest.length - 1 ? (values[output]?.shape ?? []) : broadcast(a, b) };
    const pair: Node = { name, operator: node.operator, inputs: [before, next], outputs: [name], attributes: {} };
    before = name;
    return pair;
  });
}

function broadcast(a: readonly Dimension[], b: readonly Dimension[]): readonly Dimension[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[a.length - rank + i] ?? 1;
    return left === 1 ? (b[b.length - rank + i] ?? 1) : left;
  });
}
