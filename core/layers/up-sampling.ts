import { tensor } from "../tensor.ts";
import { checkChoice } from "../nearest.ts";
import { checkSizes, type Pair, type Single, type Sizes, type Triple } from "./argument.ts";
import { checkDataFormat, spatialAxes, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/** What comes between the elements of a smaller image. */
export type Interpolation = "nearest" | "bilinear" | "bicubic";

/** Arguments of Keras's upsampling layers. */
export interface UpSamplingOptions<Size extends Sizes> extends LayerName {
  /** How many times larger; whole numbers, default 2. */
  readonly size?: Size;
  /** Default channels_first. */
  readonly dataFormat?: DataFormat;
}

/** Each step several times: [batch, channels, steps] -> [batch, channels, size * steps]. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/reshaping_layers/up_sampling1d/ */
export function upSampling1D(options: UpSamplingOptions<Single> = {}): Layer {
  return upSampling(options, { where: "upSampling1D", kind: "UpSampling1D", axes: 1 });
}

/**
 * Larger images: [batch, channels, height, width] -> [batch, channels, size * height, size * width].
 *
 * @param options.interpolation default nearest: each element several times; bicubic with the coefficient -0.75 of ONNX and PyTorch
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image
 * @see https://keras.io/api/layers/reshaping_layers/up_sampling2d/
 */
export function upSampling2D({
  interpolation = "nearest",
  ...options
}: UpSamplingOptions<Pair> & { readonly interpolation?: Interpolation } = {}): Layer {
  checkChoice("upSampling2D", "interpolation", interpolation, ["nearest", "bilinear", "bicubic"]);
  return upSampling(options, { where: "upSampling2D", kind: "UpSampling2D", axes: 2, interpolation });
}

/** Each element of a volume several times. @throws ARGUMENT_INVALID, GRAPH_SHAPE @see https://keras.io/api/layers/reshaping_layers/up_sampling3d/ */
export function upSampling3D(options: UpSamplingOptions<Triple> = {}): Layer {
  return upSampling(options, { where: "upSampling3D", kind: "UpSampling3D", axes: 3 });
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly axes: number;
  readonly interpolation?: Interpolation;
}

function upSampling(
  { size = 2, dataFormat = "channels_first", ...common }: UpSamplingOptions<Sizes>,
  { where, kind, axes, interpolation }: Which,
): Layer {
  const factors = checkSizes(where, "size", size, { axes });
  checkDataFormat(where, dataFormat);
  return {
    ...described(kind, common, { size: axes === 1 ? factors[0] : factors, dataFormat, ...(interpolation && { interpolation }) }),
    apply({ emit, fail }, x) {
      const places = spatialAxes(x, { axes, dataFormat }, fail);
      return emit.op("Resize", [x, undefined, emit.constant(tensor("float32", [axes], factors))], {
        axes: places,
        ...modes[interpolation ?? "nearest"],
      });
    },
  };
}

const modes: Readonly<Record<Interpolation, Readonly<Record<string, string>>>> = {
  nearest: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  bilinear: { mode: "linear" },
  bicubic: { mode: "cubic" },
};
