import { suggestNames } from "../../nearest.ts";
import { configOf, type Layer, type LayerOutput } from "../layer.ts";
import { EspalierError } from "../../errors.ts";
import { kerasClasses, type KerasClass } from "./classes.ts";
import { isObject, listAt, objectAt, refuse, textAt, type JsonObject } from "./json.ts";
import { axisMap } from "./layouts.ts";
import { toCamel, toSnake } from "./names.ts";
import { fromKerasValue } from "./values.ts";

/** Layers of one's own by class name: made from their arguments in camel case. */
export type CustomLayers = Readonly<Record<string, (config: JsonObject) => Layer<LayerOutput>>>;

/** Classes of models, whose layers are in their config. */
export const modelClasses: readonly string[] = ["Functional", "Model", "Sequential"];

/**
 * A layer from its part of the configuration.
 *
 * @param options.ofCall arguments of the layer's call, in camel case
 * @throws ARGUMENT_INVALID when the layer cannot do what an argument says
 */
export function layerFromKeras(
  json: JsonObject,
  { custom, ofCall = {} }: { readonly custom: CustomLayers; readonly ofCall?: JsonObject },
): Layer<LayerOutput> {
  const kind = textAt(json["class_name"], "class_name");
  const raw = objectAt(json["config"], `${kind}.config`);
  const name = textAt(raw["name"] ?? json["name"], `the name of a ${kind}`);
  const known = kerasClasses[kind];
  const where = `"${name}" (${kind})`;
  const given: Record<string, unknown> = { ...known?.standards, ...known?.only };
  const sizes = { kernelSize: raw["kernel_size"], depthMultiplier: raw["depth_multiplier"], resetAfter: raw["reset_after"] };
  for (const [key, value] of Object.entries(raw)) {
    const camel = toCamel(key);
    if (value === null) {
      if (known?.nulls && Object.hasOwn(known.nulls, camel)) given[camel] = known.nulls[camel];
      continue;
    }
    const axes = axisMap(kind, { argument: camel, where, ...sizes });
    given[camel] = isLayer(value) ? layerFromKeras(value, { custom }) : fromKerasValue(camel, value, { where, axes });
  }
  const own = custom[kind];
  const create = own ?? known?.create ?? refuse(`no class "${kind}"`);
  const layer = make(create, { given: own ? { ...given, ...ofCall, name } : { ...taken(given, known), ...ofCall, name }, where });
  refuseLostArguments(layer, { given, accepts: known?.accepts ?? {}, where });
  return layer;
}

/** Every class that is not known, in the model and in models inside it. @throws ARGUMENT_INVALID naming all of them */
export function refuseUnknownClasses(root: JsonObject, custom: CustomLayers): void {
  const unknown = new Set<string>();
  const names = [...Object.keys(kerasClasses), ...Object.keys(custom), ...modelClasses, "InputLayer"];
  const visit = (model: JsonObject, depth: number): void => {
    if (depth > 16) refuse("models are nested more than 16 deep");
    const config = objectAt(model["config"], "config");
    for (const [i, item] of listAt(config["layers"], "config.layers").entries()) {
      const layer = objectAt(item, `config.layers[${i}]`);
      const kind = textAt(layer["class_name"], `config.layers[${i}].class_name`);
      const config = isObject(layer["config"]) ? layer["config"] : {};
      for (const wrapped of [config["layer"], config["backward_layer"]]) {
        const inner = isObject(wrapped) ? String(wrapped["class_name"]) : undefined;
        if (inner !== undefined && !names.includes(inner)) unknown.add(inner);
      }
      if (modelClasses.includes(kind)) visit(layer, depth + 1);
      else if (isOperation(layer)) continue;
      else if (!names.includes(kind)) unknown.add(kind);
    }
  };
  visit(root, 0);
  if (unknown.size === 0) return;
  const each = [...unknown].map((kind) => `"${kind}"${suggestNames(kind, names, { limit: 0 }).replace("; there are  and", "; there are")}`);
  refuse(`unknown layer classes ${each.join(", ")}. Give layers of your own with { layers }`, { classes: [...unknown] });
}

/** Whether it is an operation between layers: Keras writes those that compute masks, which layers here pass on by themselves. */
export function isOperation(json: JsonObject): boolean {
  return String(json["module"]).startsWith("keras.src.ops.");
}

/** What Keras writes into every configuration and means nothing here: numbers of seeds, types, ways of computing. */
const meaningless: ReadonlySet<string> = new Set([
  "name",
  "trainable",
  "dtype",
  "seed",
  "implementation",
  "unroll",
  "useCudnn",
  "renormMomentum",
  "batchInputShape",
]);

/** The arguments without those that change nothing. */
function taken(given: JsonObject, known: KerasClass | undefined): JsonObject {
  const isIdle = (key: string, value: unknown): boolean => {
    return (meaningless.has(key) && key !== "trainable") || (Object.hasOwn(known?.accepts ?? {}, key) && sameArgument(known?.accepts?.[key], value));
  };
  return Object.fromEntries(Object.entries(given).filter(([key, value]) => !isIdle(key, value)));
}

/** The layer; an argument that it has not is left out where its value says that nothing is done, and refused where not. */
function make(create: (config: JsonObject) => Layer<LayerOutput>, { given, where }: { given: JsonObject; where: string }): Layer<LayerOutput> {
  try {
    return create(given);
  } catch (error) {
    const unknown = error instanceof EspalierError ? error.details["unknownArgument"] : undefined;
    if (typeof unknown !== "string" || !Object.hasOwn(given, unknown)) throw error;
    const { [unknown]: value, ...rest } = given;
    if (value === false || value === 0 || value === "auto") return make(create, { given: rest, where });
    const mend = mends[unknown] ?? "remove it or change the layer";
    return refuse(`${where}: ${toSnake(unknown)} ${JSON.stringify(value)} is not there; ${mend}`, { argument: toSnake(unknown) });
  }
}

/** What to do about arguments that are not there. */
const mends: Readonly<Record<string, string>> = {
  stateful:
    "a model keeps nothing from one prediction to the next. Build it with return_state and the states as further inputs (initial_state), and feed each " +
    "call the states that the last one gave",
};

/** Refuses an argument that the layer made does not have, or has otherwise. */
function refuseLostArguments(layer: Layer<LayerOutput>, { given, accepts, where }: { given: JsonObject; accepts: JsonObject; where: string }): void {
  const config = configOf(layer);
  for (const [key, value] of Object.entries(given)) {
    if (meaningless.has(key) || (Object.hasOwn(accepts, key) && sameArgument(accepts[key], value))) continue;
    if (Object.hasOwn(config, key)) {
      if (!sameArgument(config[key], value))
        refuse(`${where}: ${toSnake(key)} ${JSON.stringify(value)} is not there; it would be ${JSON.stringify(config[key])}`);
    } else if (value !== false && value !== 0 && value !== "auto") {
      refuse(`${where}: ${toSnake(key)} ${JSON.stringify(value)} is not there; remove it or change the layer`, { argument: toSnake(key) });
    }
  }
}

/** Whether two values are the same, where one number also stands for a list of it and layers were made from theirs. */
function sameArgument(here: unknown, there: unknown): boolean {
  if (isObject(there) && typeof there["apply"] === "function") return true;
  if (Array.isArray(here) || Array.isArray(there)) {
    const [a, b] = [Array.isArray(here) ? here : [here], Array.isArray(there) ? there : [there]] as [unknown[], unknown[]]; // lists of anything
    return a.length === b.length && a.every((item, i) => sameArgument(item, b[i]));
  }
  if (!isObject(here) || !isObject(there)) return here === there;
  const keys = new Set([...Object.keys(here), ...Object.keys(there)]);
  return [...keys].every((key) => sameArgument(here[key], there[key]));
}

function isLayer(value: unknown): value is JsonObject {
  return (
    isObject(value) && (Object.hasOwn(kerasClasses, String(value["class_name"])) || value["module"] === "keras.layers") && isObject(value["config"])
  );
}
