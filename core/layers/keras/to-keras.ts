import { EspalierError } from "../../errors.ts";
import type { ValueName } from "../../graph/graph.ts";
import type { LayerCall } from "../../models/layer-call.ts";
import type { Model } from "../../models/model.ts";
import { describeNetwork, type NetworkDescription } from "../nested.ts";
import { kerasClasses } from "./classes.ts";
import { refuse, type JsonObject } from "./json.ts";
import { layerToKeras } from "./layer-to-keras.ts";
import { toSnake } from "./names.ts";

/** A model's configuration as Keras 3 reads it. */
export interface KerasConfig {
  readonly module: string;
  readonly class_name: "Functional";
  readonly config: JsonObject;
  readonly registered_name: string;
}

/**
 * The model's layers as Keras's JSON: `keras.models.model_from_json(JSON.stringify(toKerasConfig(model)))` builds the same network.
 *
 * Outputs keep their names. Layers of one's own are written with the class name that they have (`custom_objects` in Keras, `layers` in
 * `fromKerasConfig`). Weights are not in it.
 *
 * @throws ARGUMENT_INVALID when the model was not made of layers, an initialiser is a function, or a layer has an argument that Keras's has not
 */
export function toKerasConfig(model: Pick<Model, "graph" | "layers">): KerasConfig {
  if (model.layers === undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `toKerasConfig: "${model.graph.name}" was not made of layers; write it with toOnnx`, {
      graph: model.graph.name,
    });
  }
  return write(describeNetwork(model));
}

type History = readonly [layer: string, node: number, tensor: number];

function write({ name, inputs, outputs, values, layers }: NetworkDescription): KerasConfig {
  const histories = new Map<ValueName, History>(inputs.map((input) => [input.name, [input.name, 0, 0]]));
  const calls = new Map<string, LayerCall[]>();
  for (const call of layers) {
    const earlier = calls.get(call.name) ?? [];
    // A layer may hand an input on as it is: the first history stands.
    call.outputs.forEach((output, i) => {
      if (!histories.has(output)) histories.set(output, [call.name, earlier.length, i]);
    });
    calls.set(call.name, [...earlier, call]);
  }
  const historyOf = (value: ValueName): History => {
    return histories.get(value) ?? refuse(`"${value}" in "${name}" comes from no layer: operators between layers cannot be written down`);
  };
  const tensorOf = (value: ValueName): JsonObject => {
    const { dtype = "float32", shape = [] } = values[value] ?? {};
    return {
      class_name: "__keras_tensor__",
      config: { shape: shape.map((size) => (size === "batch" ? null : size)), dtype, keras_history: historyOf(value) },
    };
  };
  const written = [...calls].map(([layer, [first, ...more]]) => {
    if (first === undefined) return refuse(`"${layer}" is never called`);
    return Object.assign({}, layerJson(first), { name: layer, inbound_nodes: [first, ...more].map((call) => nodeOf(call, tensorOf)) });
  });
  const places = inputs.map((input) => historyOf(input.name));
  return {
    module: "keras.src.models.functional",
    class_name: "Functional",
    config: {
      name,
      trainable: true,
      layers: [...inputs.map((input) => inputLayer(input)), ...written],
      input_layers: inputs.length === 1 ? places[0] : places,
      output_layers: Object.fromEntries(Object.entries(outputs).map(([output, value]) => [output, historyOf(value)])),
    },
    registered_name: "Functional",
  };
}

function layerJson(call: LayerCall): JsonObject {
  if (call.kind !== "Functional") return layerToKeras(call);
  const description = call.config as unknown as NetworkDescription & { readonly chosen: readonly string[] }; // what `nested` puts there
  const { config, ...rest } = write(description);
  // A model with named outputs would give a dictionary: inside another, they are a list, or the only one.
  const named = config["output_layers"] as Readonly<Record<string, History>>; // as `write` made it
  const places = description.chosen.map((output) => named[output]);
  const outputs = { output_layers: places.length === 1 ? places[0] : places };
  return { ...rest, config: { ...config, ...outputs, name: call.name, trainable: call.trainable ?? true } };
}

function inputLayer({ name, dtype, shape }: NetworkDescription["inputs"][number]): JsonObject {
  return {
    module: "keras.layers",
    class_name: "InputLayer",
    config: { batch_shape: shape.map((size) => (size === "batch" ? null : size)), dtype, sparse: false, ragged: false, name, optional: false },
    registered_name: null,
    name,
    inbound_nodes: [],
  };
}

function nodeOf(call: LayerCall, tensorOf: (value: ValueName) => JsonObject): JsonObject {
  const tensors = call.inputs.map(tensorOf);
  const known = kerasClasses[call.kind];
  const keywords = Object.fromEntries((known?.ofCall ?? []).flatMap((key) => (key in call.config ? [[toSnake(key), call.config[key]]] : [])));
  if (known?.attends === true) {
    const [query, ...others] = tensors;
    const mask = (others.at(-1)?.["config"] as JsonObject | undefined)?.["dtype"] === "bool" ? others.pop() : undefined; // as written above
    const [value = query, key] = others;
    return { args: [query, value], kwargs: { ...(key && { key }), ...(mask && { attention_mask: mask }), ...keywords } };
  }
  if (known?.recurs === true && tensors.length > 1) return { args: tensors.slice(0, 1), kwargs: { ...keywords, initial_state: tensors.slice(1) } };
  return { args: tensors.length === 1 ? tensors : [tensors], kwargs: keywords };
}
