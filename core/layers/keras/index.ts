export { fromKerasConfig, type FromKerasOptions } from "./from-keras.ts";
export { type CustomLayers } from "./layer-from-keras.ts";
export { toKerasConfig, type KerasConfig } from "./to-keras.ts";
export { withKerasWeights } from "./weights.ts";
