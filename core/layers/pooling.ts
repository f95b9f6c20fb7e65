import { checkSizes, type Pair, type Single, type Sizes, type Triple } from "./argument.ts";
import { channelsFirst, checkDataFormat, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { checkPadding, spatialSizes, windowPads, type Padding } from "./window.ts";

/** Arguments of Keras's MaxPooling and AveragePooling layers. */
export interface PoolingOptions<Size extends Sizes> extends LayerName {
  /** Default 2. */
  readonly poolSize?: Size;
  /** By default `poolSize`: windows side by side. */
  readonly strides?: Size | undefined;
  readonly padding?: Padding;
  /** Default channels_first. */
  readonly dataFormat?: DataFormat;
}

/** Arguments of MaxPooling2D and AveragePooling2D. */
export type Pooling2DOptions = PoolingOptions<Pair>;

/**
 * The largest value of each window: [batch, channels, steps] -> [batch, channels, steps'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence or shorter than the window
 * @see https://keras.io/api/layers/pooling_layers/max_pooling1d/
 */
export function maxPooling1D(options: PoolingOptions<Single> = {}): Layer {
  return pooling(options, { where: "maxPooling1D", kind: "MaxPooling1D", operator: "MaxPool", axes: 1 });
}

/**
 * The largest value of each window: [batch, channels, height, width] -> [batch, channels, height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image or smaller than the window
 * @see https://keras.io/api/layers/pooling_layers/max_pooling2d/
 */
export function maxPooling2D(options: Pooling2DOptions = {}): Layer {
  return pooling(options, { where: "maxPooling2D", kind: "MaxPooling2D", operator: "MaxPool", axes: 2 });
}

/**
 * The largest value of each window: [batch, channels, depth, height, width] -> [batch, channels, depth', height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no volume or smaller than the window
 * @see https://keras.io/api/layers/pooling_layers/max_pooling3d/
 */
export function maxPooling3D(options: PoolingOptions<Triple> = {}): Layer {
  return pooling(options, { where: "maxPooling3D", kind: "MaxPooling3D", operator: "MaxPool", axes: 3 });
}

/**
 * The mean of each window, over the steps inside the sequence: [batch, channels, steps] -> [batch, channels, steps'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence or shorter than the window
 * @see https://keras.io/api/layers/pooling_layers/average_pooling1d/
 */
export function averagePooling1D(options: PoolingOptions<Single> = {}): Layer {
  return pooling(options, { where: "averagePooling1D", kind: "AveragePooling1D", operator: "AveragePool", axes: 1 });
}

/**
 * The mean of each window, over the places inside the image: [batch, channels, height, width] -> [batch, channels, height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image or smaller than the window
 * @see https://keras.io/api/layers/pooling_layers/average_pooling2d/
 */
export function averagePooling2D(options: Pooling2DOptions = {}): Layer {
  return pooling(options, { where: "averagePooling2D", kind: "AveragePooling2D", operator: "AveragePool", axes: 2 });
}

/**
 * The mean of each window, over the places inside the volume: [batch, channels, depth, height, width] -> [batch, channels, depth', height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no volume or smaller than the window
 * @see https://keras.io/api/layers/pooling_layers/average_pooling3d/
 */
export function averagePooling3D(options: PoolingOptions<Triple> = {}): Layer {
  return pooling(options, { where: "averagePooling3D", kind: "AveragePooling3D", operator: "AveragePool", axes: 3 });
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly operator: "MaxPool" | "AveragePool";
  readonly axes: number;
}

function pooling(
  { poolSize = 2, strides = poolSize, padding = "valid", dataFormat = "channels_first", ...common }: PoolingOptions<Sizes>,
  { where, kind, operator, axes }: Which,
): Layer {
  checkPadding(where, padding);
  checkDataFormat(where, dataFormat);
  const window = { size: checkSizes(where, "poolSize", poolSize, { axes }), strides: checkSizes(where, "strides", strides, { axes }), padding };
  return {
    ...described(kind, common, { poolSize: window.size, strides: window.strides, padding, dataFormat }),
    apply(context, x) {
      const { emit, fail } = context;
      return channelsFirst(context, x, { axes, dataFormat }, (turned) => {
        const [, ...spatial] = spatialSizes(turned, axes, fail);
        return emit.op(operator, [turned], { kernel_shape: window.size, strides: window.strides, pads: windowPads(spatial, window, fail) });
      });
    },
  };
}
