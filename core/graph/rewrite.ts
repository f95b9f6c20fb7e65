import { EspalierError } from "../errors.ts";
import type { Value } from "../operators/operator.ts";
import { GraphBuilder } from "./builder.ts";
import type { Dimension, Graph, Node, ValueName } from "./graph.ts";

/** What `rewrite` asks for. */
export interface RewriteRules {
  /** Writes what stands for a node (its inputs already renamed) and returns its outputs; adding the node itself keeps it. */
  readonly node?: (builder: GraphBuilder, node: Node) => readonly Value[];
  /** The new shape of an input. */
  readonly shape?: (shape: readonly Dimension[]) => readonly Dimension[];
  /** Called after the last node, to add updates. */
  readonly finish?: (builder: GraphBuilder) => void;
}

/**
 * Writes a graph anew, node by node, every type inferred again. Inputs, state, outputs and updates keep their public names.
 *
 * @throws GRAPH_INVALID, GRAPH_SHAPE when the graph is not well-formed
 */
export function rewrite(
  graph: Graph,
  { node: rule = (builder, node) => builder.addNode(node), shape = (same) => same, finish }: RewriteRules = {},
): Graph {
  const builder = new GraphBuilder(graph.name);
  builder.reserve(graph.nodes.flatMap((node) => [node.name, ...node.outputs]));
  const values = new Map<ValueName, Value>();
  const at = (name: ValueName): Value => {
    const value = values.get(name);
    if (value === undefined)
      throw new EspalierError("GRAPH_INVALID", `"${name}" is used before it is defined in graph "${graph.name}"`, { value: name });
    return value;
  };
  for (const input of graph.inputs) values.set(input.name, builder.input(input.name, input.dtype, shape(input.shape), input));
  for (const { name, dtype, shape: sizes, role } of graph.state) values.set(name, builder.state(name, dtype, sizes, { role }));
  for (const [name, constant] of Object.entries(graph.constants)) values.set(name, builder.constant(constant, name));
  for (const node of graph.nodes) {
    const outputs = rule(builder, { ...node, inputs: node.inputs.map((name) => (name === "" ? "" : at(name).name)) });
    node.outputs.forEach((name, i) => {
      const value = outputs[i];
      if (value !== undefined) values.set(name, value);
    });
  }
  for (const [name, value] of Object.entries(graph.outputs)) builder.output(name, at(value));
  for (const [state, value] of Object.entries(graph.updates)) builder.update(state, at(value));
  finish?.(builder);
  return builder.build();
}
