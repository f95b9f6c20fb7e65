import type { LayerCall } from "../../models/layer-call.ts";
import { kerasClasses } from "./classes.ts";
import { isObject, refuse, type JsonObject } from "./json.ts";
import { axisMap } from "./layouts.ts";
import { toSnake } from "./names.ts";
import { toKerasValue } from "./values.ts";

/** One layer as Keras writes it, without its calls. @throws ARGUMENT_INVALID for an argument that Keras's layer has not */
export function layerToKeras({
  kind,
  name,
  config,
  trainable = true,
}: Pick<LayerCall, "kind" | "name" | "config"> & { readonly trainable?: boolean }): JsonObject {
  const known = kerasClasses[kind];
  const where = `"${name}" (${kind})`;
  // Where it is true it goes without saying: some of Keras's layers do not take it.
  const written: Record<string, unknown> = { name, ...(!trainable && { trainable }) };
  for (const [key, value] of Object.entries(config)) {
    if (known?.ofCall?.includes(key)) continue;
    const only: unknown = known?.only?.[key];
    if (only !== undefined) {
      if (value !== only) refuse(`${where}: Keras knows ${key} ${JSON.stringify(only)} only; permute its input`);
      continue;
    }
    if (known?.nulls && Object.hasOwn(known.nulls, key) && known.nulls[key] === value) {
      written[toSnake(key)] = null;
      continue;
    }
    const { kernelSize, depthMultiplier, resetAfter } = config;
    const axes = axisMap(kind, { argument: key, kernelSize, depthMultiplier, resetAfter, where });
    written[toSnake(key)] = isLayer(value) ? layerToKeras(value) : toKerasValue(key, value, { where, axes });
  }
  const module = known === undefined ? null : (known.module ?? "keras.layers");
  return { module, class_name: kind, config: written, registered_name: known === undefined ? kind : null };
}

/** A layer that is an argument of another. */
function isLayer(value: unknown): value is Pick<LayerCall, "kind" | "name" | "config"> {
  return isObject(value) && typeof value["kind"] === "string" && isObject(value["config"]);
}
