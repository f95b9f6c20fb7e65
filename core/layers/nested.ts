import { EspalierError } from "../errors.ts";
import { formatShape, type GraphInput, type ValueName, type ValueType } from "../graph/graph.ts";
import { isFrozen } from "../models/freeze.ts";
import type { LayerCall } from "../models/layer-call.ts";
import type { Model } from "../models/model.ts";
import type { Value } from "../operators/operator.ts";
import { described, type Layer, type LayerContext, type LayerName, type LayerOutput } from "./layer.ts";

/** What a model takes of what every layer takes: penalties are those of its layers. */
type NestedName = Omit<LayerName, "activityRegularizer">;

/** What is known of a network without its nodes: plain data, from which configurations are written. */
export interface NetworkDescription {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly outputs: Readonly<Record<string, ValueName>>;
  /** Types of all values between layers. */
  readonly values: Readonly<Record<ValueName, ValueType>>;
  readonly layers: readonly LayerCall[];
}

/** A model's description; without layers where the graph came from somewhere else. */
export function describeNetwork(model: Pick<Model, "graph" | "layers">): NetworkDescription {
  const { name, inputs, outputs, values } = model.graph;
  const layers = model.layers ?? [];
  const names = new Set([
    ...inputs.map((input) => input.name),
    ...Object.values(outputs),
    ...layers.flatMap((call) => [...call.inputs, ...call.outputs]),
  ]);
  return {
    name,
    inputs,
    outputs,
    values: Object.fromEntries([...names].map((value) => [value, values[value] ?? { dtype: "float32", shape: [] }])),
    layers,
  };
}

/**
 * A model as one layer of another: its inputs in their order, its one output.
 *
 * Its state begins with the values that the model has, under this layer's name: `body/conv2d/kernel`. What the model says of its parameters (frozen,
 * regularised, constrained) comes along. Applied twice it shares its state. Masks end at it.
 *
 * @param options.name default: the model's
 * @param options.outputs the names of several outputs that it shall give, in this order
 * @throws ARGUMENT_INVALID for an output that the model has not, or none chosen of several; GRAPH_SHAPE when the inputs are not the model's
 * @example
 * const body = freeze(pretrained, ["*"]);
 * const features = network.apply(nested(body, { name: "body" }), image);
 */
export function nested(model: Model, options?: NestedName & { readonly outputs?: undefined }): Layer;
export function nested(model: Model, options: NestedName & { readonly outputs: readonly string[] }): Layer<readonly Value[]>;
export function nested(
  model: Model,
  { outputs, name = model.graph.name, ...common }: NestedName & { readonly outputs?: readonly string[] | undefined } = {},
): Layer<LayerOutput> {
  const available = Object.keys(model.graph.outputs);
  const chosen = outputs ?? (available.length === 1 ? available : []);
  const unknown = chosen.find((output) => !available.includes(output));
  if (unknown !== undefined || chosen.length === 0) {
    const what = unknown === undefined ? `has ${available.length} outputs` : `has no output "${unknown}"`;
    throw new EspalierError("ARGUMENT_INVALID", `nested: "${model.graph.name}" ${what}; choose from ${available.join(", ")}`, { outputs: chosen });
  }
  return {
    ...described("Functional", { ...common, name }, { ...describeNetwork(model), chosen }),
    merges: true,
    inner: model.layers ?? [],
    apply(context, ...given) {
      const found = write(context, model, given);
      const values = chosen.map((output) => found.get(model.graph.outputs[output] ?? "") ?? context.fail(`its output "${output}" is never computed`));
      return outputs === undefined ? (values[0] as Value) : values; // one was chosen
    },
  };
}

/** Writes the model's nodes; the values of its graph by name. */
function write({ emit, parameter, statistic, fail }: LayerContext, model: Model, given: readonly Value[]): ReadonlyMap<ValueName, Value> {
  const { graph } = model;
  const expected = graph.inputs.map(({ name, dtype, shape }) => `"${name}" ${dtype} ${formatShape(shape)}`).join(", ");
  const fits = (input: GraphInput, i: number): boolean => given[i]?.dtype === input.dtype && formatShape(given[i].shape) === formatShape(input.shape);
  if (given.length !== graph.inputs.length || !graph.inputs.every(fits)) return fail(`takes ${expected}`);
  const values = new Map<ValueName, Value>(graph.inputs.map(({ name }, i) => [name, given[i] as Value])); // as many as inputs
  for (const { name, shape, role } of graph.state) {
    const initializer = model.state[name] ?? fail(`the model has no values for "${name}"`);
    const frozen = isFrozen(model, name);
    const { regularizer, constraint } = model.parameters?.[name] ?? {};
    const options = { initializer, frozen, regularizer, constraint };
    values.set(name, role === "statistic" ? statistic(name, shape, options) : parameter(name, shape, options));
  }
  for (const [name, constant] of Object.entries(graph.constants)) values.set(name, emit.constant(constant));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name));
    const outputs = emit.ops(node.operator, inputs, node.outputs.length, node.attributes);
    node.outputs.forEach((name, i) => values.set(name, outputs[i] as Value)); // as many as asked for
  }
  return values;
}
