import { EspalierError } from "../errors.ts";
import { readAttributes } from "../operators/attributes.ts";
import { zerosLike } from "../operators/gradients.ts";
import { findOperator } from "../operators/index.ts";
import type { Operator, Value } from "../operators/operator.ts";
import { isFloat } from "../operators/shapes.ts";
import { tensor } from "../tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import { formatShape, type Node, type ValueName } from "./graph.ts";

/**
 * Adds the nodes that compute d loss / d value for each of `by`: reverse mode, one sweep for all of them.
 *
 * Only paths of float values count; a value that the loss does not depend on has a gradient of zeros. The gradients are ordinary
 * values of the builder and may be differentiated again.
 *
 * @param loss a float value of one element
 * @param by float values of the builder: state, inputs or anything between
 * @returns gradients in the shapes of `by`
 * @throws GRAPH_NOT_DIFFERENTIABLE when the loss is no float scalar, or a path leads through an operator without a gradient
 */
export function differentiate(builder: GraphBuilder, loss: Value, by: readonly Value[]): readonly Value[] {
  if (!isFloat(loss.dtype) || loss.shape.some((size) => size !== 1)) {
    refuse(`the loss "${loss.name}" is ${loss.dtype} ${formatShape(loss.shape)}: it must be one float; reduce it first`, { value: loss.name });
  }
  for (const value of by) {
    if (!isFloat(value.dtype)) refuse(`"${value.name}" is ${value.dtype}: only float values have gradients`, { value: value.name });
  }
  return builder.scope("gradient", () => {
    const one = builder.constant(tensor(loss.dtype, loss.shape.map(Number), [1]));
    const targets = new Set(by.map((value) => value.name));
    const gradients = sweep(builder, { nodes: [...builder.nodes], seeds: [[loss.name, one]], targets });
    return by.map((value) => gradients.get(value.name) ?? zerosLike(builder, value));
  });
}

interface Sweep {
  readonly nodes: readonly Node[];
  /** Gradients that are known at the start. */
  readonly seeds: readonly (readonly [ValueName, Value])[];
  readonly targets: ReadonlySet<ValueName>;
}

/** Walks the nodes backwards from the seeds; the result has a gradient for every target that the seeds depend on. */
function sweep(builder: GraphBuilder, { nodes, seeds, targets }: Sweep): ReadonlyMap<ValueName, Value> {
  const active = reachable(builder, nodes, targets);
  const gradients = new Map<ValueName, Value>();
  const accumulate = (name: ValueName, part: Value): void => {
    const sum = gradients.get(name);
    gradients.set(name, sum === undefined ? part : builder.op("Add", [sum, part]));
  };
  for (const [name, gradient] of seeds) if (active.has(name)) accumulate(name, gradient);
  for (const node of nodes.toReversed()) {
    const arriving = node.outputs.map((output) => gradients.get(output));
    if (arriving.every((gradient) => gradient === undefined)) continue;
    if (!node.inputs.some((input) => active.has(input))) continue;
    const place = node.name.startsWith(builder.prefix) ? node.name.slice(builder.prefix.length) : node.name;
    for (const [name, part] of builder.scope(place, () => throughNode(builder, { node, arriving, active }))) accumulate(name, part);
  }
  return gradients;
}

/** The values that depend on a target through floats alone. */
function reachable(builder: GraphBuilder, nodes: readonly Node[], targets: ReadonlySet<ValueName>): ReadonlySet<ValueName> {
  const active = new Set(targets);
  for (const node of nodes) {
    if (!node.inputs.some((input) => active.has(input))) continue;
    for (const output of node.outputs) if (isFloat(builder.value(output).dtype)) active.add(output);
  }
  return active;
}

interface Step {
  readonly node: Node;
  readonly arriving: readonly (Value | undefined)[];
  readonly active: ReadonlySet<ValueName>;
}

/** The parts of its inputs' gradients that one node contributes, by its rule or through its lowering. */
function throughNode(builder: GraphBuilder, step: Step): Iterable<readonly [ValueName, Value]> {
  const { node, active } = step;
  const operator = findOperator(node.operator) ?? refuse(`${node.name}: no operator "${node.operator}"`, { node: node.name });
  if (operator.gradient) return byRule(builder, operator, step);
  if (operator.lower) return throughLowering(builder, operator, step);
  const source = node.inputs.find((input) => active.has(input));
  return refuse(`${node.name} (${node.operator}): has no gradient, but the loss depends on "${source}" through it`, {
    node: node.name,
    operator: node.operator,
  });
}

function byRule(builder: GraphBuilder, operator: Operator, { node, arriving, active }: Step): (readonly [ValueName, Value])[] {
  const inputs = inputsOf(builder, node);
  const needs = (index: number): boolean => active.has(node.inputs[index] ?? "");
  const fail = (message: string): never => refuse(`${node.name} (${node.operator}): ${message}`, { node: node.name, operator: node.operator });
  const rule = operator.gradient?.({
    emit: builder,
    inputs,
    outputs: node.outputs.map((output) => builder.value(output)),
    gradients: arriving,
    attributes: readAttributes(operator, node.name, node.attributes),
    needs,
    input: (index) => inputs[index] ?? fail(`input ${index} is required`),
    constant: (index) => builder.constantOf(node.inputs[index] ?? ""),
    refuse: fail,
  });
  return (rule ?? []).flatMap((part, index) => {
    const name = node.inputs[index];
    return part !== undefined && name !== undefined && needs(index) ? [[name, part] as const] : [];
  });
}

function throughLowering(builder: GraphBuilder, operator: Operator, { node, arriving, active }: Step): ReadonlyMap<ValueName, Value> {
  const before = builder.nodes.length;
  const inputs = inputsOf(builder, node);
  const simpler = operator.lower?.({
    emit: builder,
    inputs,
    outputTypes: node.outputs.map((output) => builder.value(output)),
    attributes: readAttributes(operator, node.name, node.attributes),
    input: (index) => inputs[index] ?? refuse(`${node.name} (${node.operator}): input ${index} is required`, { node: node.name }),
    constant: (index) => builder.constantOf(node.inputs[index] ?? ""),
  });
  const seeds = (simpler ?? []).flatMap((value, i) => (arriving[i] === undefined ? [] : [[value.name, arriving[i]] as const]));
  const targets = new Set(node.inputs.filter((input) => active.has(input)));
  const found = sweep(builder, { nodes: builder.nodes.slice(before), seeds, targets });
  return new Map([...found].filter(([name]) => targets.has(name)));
}

function inputsOf(builder: GraphBuilder, node: Node): readonly (Value | undefined)[] {
  return node.inputs.map((name) => (name === "" ? undefined : builder.value(name)));
}

function refuse(message: string, details: Record<string, unknown>): never {
  throw new EspalierError("GRAPH_NOT_DIFFERENTIABLE", message, details);
}
