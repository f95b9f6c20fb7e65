import { checkPair, type Pair } from "./argument.ts";
import { named, type Layer, type LayerName } from "./layer.ts";
import { imageSizes, windowPads, type Padding } from "./window.ts";

/** Arguments of Keras's MaxPooling2D and AveragePooling2D. */
export interface Pooling2DOptions extends LayerName {
  readonly poolSize?: Pair;
  /** By default `poolSize`: windows side by side. */
  readonly strides?: Pair;
  readonly padding?: Padding;
}

/**
 * The largest value of each window: [batch, channels, height, width] -> [batch, channels, height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image or smaller than the window
 * @see https://keras.io/api/layers/pooling_layers/max_pooling2d/
 */
export function maxPooling2D({ poolSize = 2, strides = poolSize, padding = "valid", ...common }: Pooling2DOptions = {}): Layer {
  const window = { size: checkPair("maxPooling2D", "poolSize", poolSize), strides: checkPair("maxPooling2D", "strides", strides), padding };
  return {
    kind: "MaxPooling2D",
    ...named(common),
    config: { poolSize: window.size, strides: window.strides, padding },
    apply({ emit, fail }, x) {
      const [, height, width] = imageSizes(x, fail);
      return emit.op("MaxPool", [x], { kernel_shape: window.size, strides: window.strides, pads: windowPads([height, width], window, fail) });
    },
  };
}
