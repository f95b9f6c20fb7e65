import { named, type Layer, type LayerName } from "./layer.ts";

/**
 * One row of numbers for each example: [batch, ...sizes] -> [batch, product of sizes].
 *
 * @see https://keras.io/api/layers/reshaping_layers/flatten/
 */
export function flatten(common: LayerName = {}): Layer {
  return { kind: "Flatten", ...named(common), config: {}, apply: ({ emit }, x) => emit.op("Flatten", [x], { axis: 1 }) };
}
