import { EspalierError } from "../errors.ts";
import type { Value } from "../operators/operator.ts";
import type { GraphBuilder } from "./builder.ts";
import { formatShape, type Graph, type StateValue, type ValueName } from "./graph.ts";

/** How a graph is copied. */
export interface CopyOptions {
  /** Values of the builder that stand for inputs of the graph; every other input becomes one of the builder's. */
  readonly inputs?: Readonly<Record<ValueName, Value>>;
}

/**
 * Writes a whole graph into a builder: how a training step takes in its model.
 *
 * State of the same name, type and role is shared; other names that are taken get a number. Updates come along, outputs are
 * returned and not declared.
 *
 * @returns the graph's outputs by public name, as values of the builder
 * @throws GRAPH_INVALID when a state value of that name is there with another type
 */
export function copyInto(builder: GraphBuilder, graph: Graph, { inputs = {} }: CopyOptions = {}): Readonly<Record<string, Value>> {
  const values = new Map<ValueName, Value>();
  const copied = (name: ValueName): Value => values.get(name) ?? refuse(`graph "${graph.name}" uses "${name}" before it is defined`, { value: name });
  const free = (name: string): string => (builder.isFree(name) ? name : builder.freshName(name));
  for (const { name, dtype, shape, random } of graph.inputs) {
    values.set(name, Object.hasOwn(inputs, name) ? givenInput(graph, name, inputs[name]) : builder.input(name, dtype, shape, { random }));
  }
  for (const state of graph.state) values.set(state.name, sharedState(builder, state));
  for (const [name, constant] of Object.entries(graph.constants)) values.set(name, builder.constant(constant, free(name)));
  for (const node of graph.nodes) {
    const name = free(node.name);
    const outputs = builder.addNode({
      ...node,
      name,
      inputs: node.inputs.map((input) => (input === "" ? "" : copied(input).name)),
      outputs: node.outputs.map((output) => (output === node.name ? name : free(output))),
    });
    outputs.forEach((output, i) => values.set(node.outputs[i] ?? "", output));
  }
  for (const [state, value] of Object.entries(graph.updates)) builder.update(state, copied(value));
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, value]) => [name, copied(value)]));
}

function givenInput(graph: Graph, name: ValueName, value: Value | undefined): Value {
  const type = graph.values[name];
  if (value === undefined || type === undefined) return refuse(`graph "${graph.name}" has no value for its input "${name}"`, { input: name });
  if (value.dtype === type.dtype && formatShape(value.shape) === formatShape(type.shape)) return value;
  return refuse(
    `graph "${graph.name}": input "${name}" is ${type.dtype} ${formatShape(type.shape)}, but "${value.name}" is ${value.dtype} ${formatShape(value.shape)}`,
    { input: name },
  );
}

function sharedState(builder: GraphBuilder, { name, dtype, shape, role }: StateValue): Value {
  if (!builder.has(name)) return builder.state(name, dtype, shape, { role });
  const there = builder.stateOf(name);
  if (there && there.dtype === dtype && there.role === role && formatShape(there.shape) === formatShape(shape)) return builder.value(name);
  return refuse(`state "${name}" (${role}, ${dtype} ${formatShape(shape)}) meets another value of that name in graph "${builder.name}"`, {
    state: name,
  });
}

function refuse(message: string, details: Record<string, unknown>): never {
  throw new EspalierError("GRAPH_INVALID", message, details);
}
