import { checkPair } from "./argument.ts";
import { named, type Layer } from "./layer.ts";
import type { Pooling2DOptions } from "./max-pooling-2d.ts";
import { imageSizes, windowPads } from "./window.ts";

/**
 * The mean of each window, over the places inside the image: [batch, channels, height, width] -> [batch, channels, height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image or smaller than the window
 * @see https://keras.io/api/layers/pooling_layers/average_pooling2d/
 */
export function averagePooling2D({ poolSize = 2, strides = poolSize, padding = "valid", ...common }: Pooling2DOptions = {}): Layer {
  const window = { size: checkPair("averagePooling2D", "poolSize", poolSize), strides: checkPair("averagePooling2D", "strides", strides), padding };
  return {
    kind: "AveragePooling2D",
    ...named(common),
    config: { poolSize: window.size, strides: window.strides, padding },
    apply({ emit, fail }, x) {
      const [, height, width] = imageSizes(x, fail);
      return emit.op("AveragePool", [x], { kernel_shape: window.size, strides: window.strides, pads: windowPads([height, width], window, fail) });
    },
  };
}
