import { isObject, listAt, refuse, type JsonObject } from "./json.ts";
import { toCamel } from "./names.ts";

/** One output of one call of a layer: Keras's "history". */
export interface TensorPlace {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** One call of a layer. */
export interface NodeJson {
  readonly inputs: readonly TensorPlace[];
  /** Masks that Keras hands over. */
  readonly masks: readonly TensorPlace[];
  /** The call's other arguments, in camel case. */
  readonly keywords: JsonObject;
}

/** The calls of a layer, as Keras 3 writes them or as Keras 2 did. @throws ARGUMENT_INVALID */
export function readNodes(json: unknown, layer: string): readonly NodeJson[] {
  return listAt(json ?? [], `inbound_nodes of "${layer}"`).map((node) => {
    if (!isObject(node)) return readOldNode(node, layer);
    const keywords: Record<string, unknown> = {};
    const named: TensorPlace[] = [];
    const masks: TensorPlace[] = [];
    const given = isObject(node["kwargs"]) ? node["kwargs"] : {};
    for (const key of [...inputNames, ...Object.keys(given).filter((name) => !inputNames.includes(name))]) {
      if (!Object.hasOwn(given, key)) continue;
      const tensors = findTensors(given[key]);
      if (tensors.length > 0 && key.endsWith("mask") && key !== "attention_mask") {
        masks.push(...tensors);
        continue;
      }
      if (tensors.length > 0 && !inputNames.includes(key)) refuse(`the call of "${layer}" gets a value as ${key}, which is not there`);
      named.push(...tensors);
      if (tensors.length === 0) keywords[toCamel(key)] = given[key];
    }
    return { inputs: [...findTensors(node["args"]), ...named], masks, keywords };
  });
}

/** Arguments that are inputs, in the order of the call. */
const inputNames: readonly string[] = ["inputs", "query", "value", "key", "attention_mask", "initial_state"];

/** Keras 2: [[layer, node, tensor, keywords], ...]. */
function readOldNode(json: unknown, layer: string): NodeJson {
  const inputs: TensorPlace[] = [];
  const keywords: Record<string, unknown> = {};
  for (const item of listAt(json, `inbound_nodes of "${layer}"`)) {
    const [from, node, tensor, given] = listAt(item, `inbound_nodes of "${layer}"`);
    inputs.push(...findTensors([from, node, tensor]));
    for (const [key, value] of Object.entries(isObject(given) ? given : {})) keywords[toCamel(key)] = value;
  }
  return { inputs, masks: [], keywords };
}

/** Every history in a value, in order: of tensors as Keras 3 writes them, and [layer, node, tensor] alone. */
export function findTensors(json: unknown): readonly TensorPlace[] {
  if (isObject(json)) {
    const config = isObject(json["config"]) ? json["config"] : {};
    return json["class_name"] === "__keras_tensor__" ? findTensors(config["keras_history"]) : [];
  }
  if (!Array.isArray(json)) return [];
  const [layer, node, tensor] = json as readonly unknown[]; // a list of anything
  if (typeof layer === "string" && typeof node === "number" && typeof tensor === "number") return [{ layer, node, tensor }];
  return (json as readonly unknown[]).flatMap(findTensors); // a list of anything
}
