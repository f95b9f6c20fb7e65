import { named, type Layer, type LayerName } from "./layer.ts";
import { imageSizes } from "./window.ts";

/**
 * Each channel's mean: [batch, channels, height, width] -> [batch, channels].
 *
 * @throws GRAPH_SHAPE when the input is no image
 * @see https://keras.io/api/layers/pooling_layers/global_average_pooling2d/
 */
export function globalAveragePooling2D(common: LayerName = {}): Layer {
  return {
    kind: "GlobalAveragePooling2D",
    ...named(common),
    config: {},
    apply({ emit, fail }, x) {
      imageSizes(x, fail);
      return emit.op("Flatten", [emit.op("GlobalAveragePool", [x])], { axis: 1 });
    },
  };
}
