import { checkNumber } from "./argument.ts";
import { checkDataFormat, spatialAxes, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/** Arguments of Keras's spatial dropouts. */
export interface SpatialDropoutOptions extends LayerName {
  /** From 0 to below 1. */
  readonly rate: number;
  /** Default channels_first; for [batch, steps, features] of an embedding or a recurrent layer, channels_last. */
  readonly dataFormat?: DataFormat;
}

/** Dropout of whole channels of [batch, channels, steps]. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/regularization_layers/spatial_dropout1d/ */
export function spatialDropout1D(options: SpatialDropoutOptions): Layer {
  return spatial(options, { where: "spatialDropout1D", kind: "SpatialDropout1D", axes: 1 });
}

/** Dropout of whole channels of images. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/regularization_layers/spatial_dropout2d/ */
export function spatialDropout2D(options: SpatialDropoutOptions): Layer {
  return spatial(options, { where: "spatialDropout2D", kind: "SpatialDropout2D", axes: 2 });
}

/** Dropout of whole channels of volumes. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/regularization_layers/spatial_dropout3d/ */
export function spatialDropout3D(options: SpatialDropoutOptions): Layer {
  return spatial(options, { where: "spatialDropout3D", kind: "SpatialDropout3D", axes: 3 });
}

/**
 * In training, normal noise of a standard deviation is added.
 *
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/layers/regularization_layers/gaussian_noise/
 */
export function gaussianNoise({ stddev, ...common }: { readonly stddev: number } & LayerName): Layer {
  checkNumber("gaussianNoise", "stddev", stddev, { from: 0 });
  return noise(common, { kind: "GaussianNoise", config: { stddev }, placewise: true });
}

/**
 * In training, each element is multiplied by normal noise around 1, of variance rate / (1 - rate).
 *
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/layers/regularization_layers/gaussian_dropout/
 */
export function gaussianDropout({ rate, ...common }: { readonly rate: number } & LayerName): Layer {
  checkNumber("gaussianDropout", "rate", rate, { from: 0, below: 1 });
  return noise(common, { kind: "GaussianDropout", config: { rate }, placewise: true });
}

/**
 * Dropout that keeps mean 0 and variance 1, for networks of selu.
 *
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/layers/regularization_layers/alpha_dropout/
 */
export function alphaDropout({ rate, ...common }: { readonly rate: number } & LayerName): Layer {
  checkNumber("alphaDropout", "rate", rate, { from: 0, below: 1 });
  return noise(common, { kind: "AlphaDropout", config: { rate }, placewise: true });
}

/**
 * In training, whole rows are left out: what a block of a residual network adds (stochastic depth).
 *
 * @throws ARGUMENT_INVALID
 * @see G. Huang et al., Deep networks with stochastic depth (2016)
 */
export function dropPath({ rate, ...common }: { readonly rate: number } & LayerName): Layer {
  checkNumber("dropPath", "rate", rate, { from: 0, below: 1 });
  return noise(common, { kind: "DropPath", config: { rate }, placewise: false });
}

interface Noise {
  /** The layer's and the operator's name. */
  readonly kind: string;
  readonly config: Readonly<Record<string, number>>;
  readonly placewise: boolean;
}

function noise(common: LayerName, { kind, config, placewise }: Noise): Layer {
  return { ...described(kind, common, config), passesMask: true, placewise, apply: ({ emit }, x) => emit.op(kind, [x], config) };
}

function spatial(
  { rate, dataFormat = "channels_first", ...common }: SpatialDropoutOptions,
  { where, kind, axes }: { readonly where: string; readonly kind: string; readonly axes: number },
): Layer {
  checkNumber(where, "rate", rate, { from: 0, below: 1 });
  checkDataFormat(where, dataFormat);
  return {
    ...described(kind, common, { rate, dataFormat }),
    passesMask: true,
    apply({ emit, fail }, x) {
      spatialAxes(x, { axes, dataFormat }, fail);
      return emit.op("SpatialDropout", [x], { rate, axis: dataFormat === "channels_first" ? 1 : axes + 1 });
    },
  };
}
