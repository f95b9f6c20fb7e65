import type { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { rewrite } from "../graph/rewrite.ts";
import type { Value } from "../operators/operator.ts";

const recurrent: ReadonlySet<string> = new Set(["LSTM", "GRU", "RNN"]);

/**
 * Recurrences with the batch first (`layout` 1) written with the steps first, Transpose before and after: ONNX Runtime runs no others.
 *
 * @see https://onnx.ai/onnx/operators/onnx__LSTM.html
 */
export function withStepsFirst(graph: Graph): Graph {
  if (!graph.nodes.some(isBatchFirst)) return graph;
  return rewrite(graph, {
    node: (builder, node) => (isBatchFirst(node) ? builder.scope(node.name, () => stepsFirst(builder, node)) : builder.addNode(node)),
  });
}

function isBatchFirst({ operator, attributes }: Node): boolean {
  return recurrent.has(operator) && attributes["layout"] === 1;
}

function stepsFirst(builder: GraphBuilder, { operator, inputs, outputs, attributes }: Node): readonly Value[] {
  const swapped = (value: Value): Value => builder.op("Transpose", [value], { perm: [1, 0, 2] });
  const values = inputs.map((name, i) => {
    const value = name === "" ? undefined : builder.value(name);
    return value !== undefined && (i === 0 || i === 5 || i === 6) ? swapped(value) : value; // X, initial_h, initial_c
  });
  const results = builder.ops(operator, values, outputs.length, { ...attributes, layout: 0 });
  return results.map((value, i) => (i === 0 ? builder.op("Transpose", [value], { perm: [2, 0, 1, 3] }) : swapped(value)));
}
