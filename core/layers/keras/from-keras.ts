import type { Model } from "../../models/model.ts";
import type { Value } from "../../operators/operator.ts";
import type { DType } from "../../tensor.ts";
import type { Layer, LayerOutput } from "../layer.ts";
import { nested } from "../nested.ts";
import { Network } from "../network.ts";
import { kerasClasses } from "./classes.ts";
import { isObject, listAt, objectAt, refuse, textAt, type JsonObject } from "./json.ts";
import { isOperation, layerFromKeras, modelClasses, refuseUnknownClasses, type CustomLayers } from "./layer-from-keras.ts";
import { toSnake } from "./names.ts";
import { findTensors, readNodes, type NodeJson, type TensorPlace } from "./nodes.ts";

/** How a configuration of Keras is read. */
export interface FromKerasOptions {
  /** For the first values of the parameters. Default 0. */
  readonly seed?: number;
  /** Layers of one's own, by class name; their arguments come in camel case. */
  readonly layers?: CustomLayers;
}

/**
 * A model from Keras's JSON (`model.to_json()` in Keras 3; also the file `config.json` inside a `.keras` file): Functional or Sequential.
 *
 * Inputs are called as its input layers, outputs as its output layers, or by their names where the configuration has some. Nothing in it is
 * executed; layers of code (Lambda) are unknown classes. Types of computation (mixed precision) are left out: parameters are float32.
 *
 * @param json parsed, or as text
 * @throws ARGUMENT_INVALID for unknown classes, all of them with the nearest names; for an argument that the layer has not
 * @example
 * const model = fromKerasConfig(await readFile("model.json", "utf8"));
 */
export function fromKerasConfig(json: unknown, { seed = 0, layers: custom = {} }: FromKerasOptions = {}): Model {
  const root = objectAt(typeof json === "string" ? parse(json) : json, "the model");
  if (!modelClasses.includes(String(root["class_name"]))) {
    return refuse(`class_name must be "Functional" or "Sequential", not ${JSON.stringify(root["class_name"])}`);
  }
  refuseUnknownClasses(root, custom);
  return modelOf(root, { seed, custom });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return refuse(`not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

interface Reading {
  readonly seed: number;
  readonly custom: CustomLayers;
}

function modelOf(root: JsonObject, reading: Reading): Model {
  const config = objectAt(root["config"], "config");
  const network = new Network(typeof config["name"] === "string" ? config["name"] : "model", { seed: reading.seed });
  if (root["class_name"] === "Sequential") writeSequential(network, config, reading);
  else writeFunctional(network, config, reading);
  return network.build();
}

function writeSequential(network: Network, config: JsonObject, reading: Reading): void {
  const layers = listAt(config["layers"], "config.layers").map((layer, i) => objectAt(layer, `config.layers[${i}]`));
  const [first] = layers;
  if (first === undefined) return refuse("a Sequential without layers");
  const starts = first["class_name"] === "InputLayer";
  const batchShape: unknown = config["build_input_shape"] ?? objectAt(first["config"], "config.layers[0].config")["batch_input_shape"];
  if (!starts && batchShape === undefined) return refuse("a Sequential needs an InputLayer first, or build_input_shape");
  let value = starts ? inputOf(network, first) : network.input("input", rowShape(batchShape, "build_input_shape"));
  let name = value.name;
  for (const json of starts ? layers.slice(1) : layers) {
    const layer = layerOf(json, { ...reading, ofCall: {} });
    const output = network.apply(layer, value);
    if (!("name" in output)) return refuse(`"${layer.name}" has several outputs: a Sequential cannot go on from there; use a Functional`);
    value = output;
    name = layer.name ?? layer.kind;
  }
  return network.output(name, value);
}

interface Pending {
  readonly json: JsonObject;
  readonly name: string;
  readonly nodes: readonly NodeJson[];
  done: number;
  layer: Layer<LayerOutput> | undefined;
}

function writeFunctional(network: Network, config: JsonObject, reading: Reading): void {
  const made = new Map<string, readonly Value[]>(); // "layer/node": outputs
  const pending: Pending[] = [];
  const operations = new Map<string, string>(); // names and classes
  for (const [i, item] of listAt(config["layers"], "config.layers").entries()) {
    const json = objectAt(item, `config.layers[${i}]`);
    const name = textAt(json["name"] ?? objectAt(json["config"], `config.layers[${i}].config`)["name"], `config.layers[${i}].name`);
    if (json["class_name"] === "InputLayer") made.set(`${name}/0`, [inputOf(network, json)]);
    else if (isOperation(json)) operations.set(name, String(json["class_name"]));
    else pending.push({ json, name, nodes: readNodes(json["inbound_nodes"], name), done: 0, layer: undefined });
  }
  refuseOperations(pending, operations);
  const valueAt = ({ layer, node, tensor }: TensorPlace): Value | undefined => made.get(`${layer}/${node}`)?.[tensor];
  for (let moved = true; moved;) {
    moved = false;
    for (const entry of pending) {
      const node = entry.nodes[entry.done];
      const inputs = node?.inputs.map(valueAt);
      if (node === undefined || inputs === undefined || inputs.includes(undefined)) continue;
      entry.layer ??= layerOf(entry.json, { ...reading, ofCall: callArguments(entry, node) });
      const output = applyTo(network, entry, inputs as readonly Value[]); // none is undefined
      made.set(`${entry.name}/${entry.done}`, output);
      entry.done += 1;
      moved = true;
    }
  }
  const stuck = pending.filter((entry) => entry.done < entry.nodes.length).map((entry) => `"${entry.name}"`);
  if (stuck.length > 0) return refuse(`no input reaches ${stuck.join(", ")}: the graph is disconnected or runs in a circle`);
  for (const [name, place] of outputsOf(config["output_layers"])) {
    network.output(name, valueAt(place) ?? refuse(`output_layers: there is no output ${place.tensor} of call ${place.node} of "${place.layer}"`));
  }
  return undefined;
}

/** Operations compute masks, and nothing else here. */
function refuseOperations(pending: readonly Pending[], operations: ReadonlyMap<string, string>): void {
  for (const { name, nodes } of pending) {
    for (const { inputs, masks } of nodes) {
      const operation = inputs.find(({ layer }) => operations.has(layer));
      if (operation !== undefined) refuse(`"${name}" takes the result of the operation ${operations.get(operation.layer)}; use a layer in its place`);
      const given = masks.find(({ layer }) => !operations.has(layer));
      if (given !== undefined) refuse(`the call of "${name}" is given the mask "${given.layer}"; masks come from embedding and masking layers only`);
    }
  }
}

function applyTo(network: Network, { layer, json, name }: Pending, inputs: readonly Value[]): readonly Value[] {
  const [first, ...others] = inputs;
  if (layer === undefined || first === undefined) return refuse(`"${name}" is called without an input`);
  // Keras writes a value given twice: query and value of self-attention.
  const same = kerasClasses[String(json["class_name"])]?.attends === true && others.every((other) => other.name === first.name);
  const output = network.apply(layer, first, ...(same ? [] : others));
  return "name" in output ? [output] : output;
}

/** Arguments of a call that are the layer's here; refuses what would be lost. */
function callArguments({ json, name }: Pending, { keywords }: NodeJson): JsonObject {
  const known = kerasClasses[String(json["class_name"])]?.ofCall ?? [];
  const lost = Object.entries(keywords).filter(([key, value]) => !known.includes(key) && key !== "training" && value !== null && value !== false);
  if (lost.length > 0) refuse(`the call of "${name}" has arguments that are not there: ${lost.map(([key]) => toSnake(key)).join(", ")}`);
  return Object.fromEntries(Object.entries(keywords).filter(([key, value]) => known.includes(key) && value !== false && value !== null));
}

function layerOf(json: JsonObject, { custom, seed, ofCall }: Reading & { ofCall: JsonObject }): Layer<LayerOutput> {
  const kind = String(json["class_name"]);
  const config = objectAt(json["config"], `${kind}.config`);
  const trainable = config["trainable"] === false ? { trainable: false } : {};
  if (!modelClasses.includes(kind)) return { ...layerFromKeras(json, { custom, ofCall }), ...trainable };
  const model = modelOf(json, { custom, seed });
  const name = textAt(config["name"], `the name of a ${kind}`);
  const outputs = Object.keys(model.graph.outputs);
  return { ...(outputs.length === 1 ? nested(model, { name }) : nested(model, { name, outputs })), ...trainable };
}

function inputOf(network: Network, json: JsonObject): Value {
  const config = objectAt(json["config"], "InputLayer.config");
  const name = textAt(config["name"], "InputLayer.config.name");
  const shape = rowShape(config["batch_shape"] ?? config["batch_input_shape"], `the shape of "${name}"`);
  const given = textAt(config["dtype"] ?? "float32", `the type of "${name}"`);
  const dtype = dtypes[given] ?? refuse(`input "${name}" has type ${given}, which is not there`);
  return network.input(name, shape, { dtype });
}

/** Types of inputs; floats are float32 here. */
const dtypes: Readonly<Record<string, DType>> = {
  float16: "float32",
  bfloat16: "float32",
  float32: "float32",
  float64: "float32",
  int32: "int32",
  int64: "int64",
  uint8: "uint8",
  bool: "bool",
};

function rowShape(value: unknown, where: string): readonly number[] {
  const [, ...sizes] = listAt(value, where);
  return sizes.map((size) => {
    if (typeof size === "number" && Number.isSafeInteger(size) && size >= 1) return size;
    return refuse(`${where}: ${JSON.stringify(value)} has an open size; only the batch may be null, give the input a whole shape`);
  });
}

/** Outputs by name: those of the configuration where it has some, else the layers'. */
function outputsOf(json: unknown): readonly (readonly [string, TensorPlace])[] {
  if (isObject(json)) {
    return Object.entries(json).map(([name, place]) => [name, findTensors(place)[0] ?? refuse(`output_layers: "${name}" is no output of a layer`)]);
  }
  const taken = new Map<string, number>();
  return findTensors(json).map((place) => {
    const count = taken.get(place.layer) ?? 0;
    taken.set(place.layer, count + 1);
    return [count === 0 ? place.layer : `${place.layer}_${count}`, place];
  });
}
