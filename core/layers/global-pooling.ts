import type { Emitter, Value } from "../operators/operator.ts";
import { dtypeCodes } from "../operators/cast.ts";
import { checkDataFormat, spatialAxes, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/** Arguments of Keras's global poolings. */
export interface GlobalPoolingOptions extends LayerName {
  /** Whether the spatial axes stay, with size 1. Default false. */
  readonly keepdims?: boolean;
  /** Default channels_first; for [batch, steps, features] of an embedding or a recurrent layer, channels_last. */
  readonly dataFormat?: DataFormat;
}

/**
 * Each channel's mean over the steps: [batch, channels, steps] -> [batch, channels]. With channels_last, masked steps do not count.
 *
 * @throws GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/pooling_layers/global_average_pooling1d/
 */
export function globalAveragePooling1D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling(options, { where: "globalAveragePooling1D", kind: "GlobalAveragePooling1D", axes: 1 });
}

/**
 * Each channel's mean: [batch, channels, height, width] -> [batch, channels].
 *
 * @throws GRAPH_SHAPE when the input is no image
 * @see https://keras.io/api/layers/pooling_layers/global_average_pooling2d/
 */
export function globalAveragePooling2D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling(options, { where: "globalAveragePooling2D", kind: "GlobalAveragePooling2D", axes: 2 });
}

/**
 * Each channel's mean: [batch, channels, depth, height, width] -> [batch, channels].
 *
 * @throws GRAPH_SHAPE when the input is no volume
 * @see https://keras.io/api/layers/pooling_layers/global_average_pooling3d/
 */
export function globalAveragePooling3D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling(options, { where: "globalAveragePooling3D", kind: "GlobalAveragePooling3D", axes: 3 });
}

/**
 * Each channel's largest value: [batch, channels, steps] -> [batch, channels].
 *
 * @throws GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/pooling_layers/global_max_pooling1d/
 */
export function globalMaxPooling1D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling(options, { where: "globalMaxPooling1D", kind: "GlobalMaxPooling1D", axes: 1 });
}

/**
 * Each channel's largest value: [batch, channels, height, width] -> [batch, channels].
 *
 * @throws GRAPH_SHAPE when the input is no image
 * @see https://keras.io/api/layers/pooling_layers/global_max_pooling2d/
 */
export function globalMaxPooling2D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling(options, { where: "globalMaxPooling2D", kind: "GlobalMaxPooling2D", axes: 2 });
}

/**
 * Each channel's largest value: [batch, channels, depth, height, width] -> [batch, channels].
 *
 * @throws GRAPH_SHAPE when the input is no volume
 * @see https://keras.io/api/layers/pooling_layers/global_max_pooling3d/
 */
export function globalMaxPooling3D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling(options, { where: "globalMaxPooling3D", kind: "GlobalMaxPooling3D", axes: 3 });
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly axes: number;
}

function globalPooling({ keepdims = false, dataFormat = "channels_first", ...common }: GlobalPoolingOptions, { where, kind, axes }: Which): Layer {
  checkDataFormat(where, dataFormat);
  return {
    ...described(kind, common, { dataFormat, keepdims }),
    apply({ emit, maskOf, fail }, x) {
      const places = spatialAxes(x, { axes, dataFormat }, fail);
      const reduced = { axes: places, keepdims };
      if (kind.startsWith("GlobalMax")) return emit.op("ReduceMax", [x, emit.ints(places)], { keepdims: keepdims ? 1 : 0 });
      const mask = axes === 1 ? maskOf(x) : undefined;
      if (mask !== undefined && dataFormat === "channels_first") {
        return fail('steps of its input are masked, so they come before the features; give it dataFormat "channels_last"');
      }
      if (mask !== undefined) return maskedMean(emit, x, { ...reduced, mask });
      if (dataFormat === "channels_last") return emit.op("ReduceMean", [x, emit.ints(places)], { keepdims: keepdims ? 1 : 0 });
      const mean = emit.op("GlobalAveragePool", [x]);
      return keepdims ? mean : emit.op("Flatten", [mean], { axis: 1 });
    },
  };
}

/** The mean of x [batch, steps, features] over the steps that count. */
function maskedMean(emit: Emitter, x: Value, { axes, keepdims, mask }: { axes: readonly number[]; keepdims: boolean; mask: Value }): Value {
  const weights = emit.op("Cast", [emit.op("Unsqueeze", [mask, emit.ints([-1])])], { to: dtypeCodes[x.dtype] });
  const options = { keepdims: keepdims ? 1 : 0 };
  const total = emit.op("ReduceSum", [emit.op("Mul", [x, weights]), emit.ints(axes)], options);
  return emit.op("Div", [total, emit.op("ReduceSum", [weights, emit.ints(axes)], options)]);
}
