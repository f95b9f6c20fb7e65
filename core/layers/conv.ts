import { EspalierError } from "../errors.ts";
import { checkActivation, type ActivationName } from "./activation.ts";
import { checkSize, checkSizes, type Pair, type Single, type Sizes, type Triple } from "./argument.ts";
import { channelsFirst, checkDataFormat, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { weight, type WeightArguments } from "./weight.ts";
import { checkPadding, spatialSizes, windowPads, type Padding } from "./window.ts";

/** Arguments of Keras's Conv1D, Conv2D and Conv3D. */
export interface ConvOptions<Size extends Sizes, Pads extends string = Padding>
  extends LayerName, WeightArguments<"kernel">, WeightArguments<"bias"> {
  readonly filters: number;
  readonly kernelSize: Size;
  readonly strides?: Size;
  readonly padding?: Pads;
  /** Of the input and the output; the weights lie the same in both. Default channels_first. */
  readonly dataFormat?: DataFormat;
  readonly dilationRate?: Size;
  /** Channels and filters are cut into this many independent groups. */
  readonly groups?: number;
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
}

/** Arguments of Conv1D; `causal` padding sees no later step. */
export type Conv1DOptions = ConvOptions<Single, Padding | "causal">;
/** Arguments of Conv2D. */
export type Conv2DOptions = ConvOptions<Pair>;
/** Arguments of Conv3D. */
export type Conv3DOptions = ConvOptions<Triple>;

/**
 * Convolution over sequences: [batch, channels, steps] -> [batch, filters, steps'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence, or channels do not divide into the groups
 * @see https://keras.io/api/layers/convolution_layers/convolution1d/
 */
export function conv1D(options: Conv1DOptions): Layer {
  return convolution(options, { where: "conv1D", kind: "Conv1D", axes: 1 });
}

/**
 * Convolution over images: [batch, channels, height, width] -> [batch, filters, height', width'].
 *
 * Parameters `kernel` [filters, channels / groups, ...kernelSize] and `bias` [filters].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image, or channels do not divide into the groups
 * @see https://keras.io/api/layers/convolution_layers/convolution2d/
 */
export function conv2D(options: Conv2DOptions): Layer {
  return convolution(options, { where: "conv2D", kind: "Conv2D", axes: 2 });
}

/**
 * Convolution over volumes: [batch, channels, depth, height, width] -> [batch, filters, depth', height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no volume, or channels do not divide into the groups
 * @see https://keras.io/api/layers/convolution_layers/convolution3d/
 */
export function conv3D(options: Conv3DOptions): Layer {
  return convolution(options, { where: "conv3D", kind: "Conv3D", axes: 3 });
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly axes: number;
}

function convolution(options: ConvOptions<Sizes, Padding | "causal">, { where, kind, axes }: Which): Layer {
  const {
    filters,
    kernelSize,
    strides = 1,
    padding = "valid",
    dataFormat = "channels_first",
    dilationRate = 1,
    groups = 1,
    activation = "linear",
    useBias = true,
  } = options;
  checkSize(where, "filters", filters);
  checkSize(where, "groups", groups);
  checkActivation(where, activation);
  checkPadding(where, padding, { causal: axes === 1 });
  checkDataFormat(where, dataFormat);
  if (filters % groups !== 0) {
    throw new EspalierError("ARGUMENT_INVALID", `${where}: ${filters} filters do not divide into ${groups} groups`, { filters, groups });
  }
  const window = {
    size: checkSizes(where, "kernelSize", kernelSize, { axes }),
    strides: checkSizes(where, "strides", strides, { axes }),
    dilations: checkSizes(where, "dilationRate", dilationRate, { axes }),
    padding,
  };
  const kernel = weight(where, "kernel", options, "glorotUniform");
  const bias = weight(where, "bias", options, "zeros");
  return {
    ...described(kind, options, {
      filters,
      kernelSize: window.size,
      strides: window.strides,
      padding,
      dataFormat,
      dilationRate: window.dilations,
      groups,
      activation,
      useBias,
      ...kernel.config,
      ...bias.config,
    }),
    apply(context, x) {
      const { emit, parameter, fail } = context;
      return channelsFirst(context, x, { axes, dataFormat, activation }, (turned) => {
        const [channels, ...spatial] = spatialSizes(turned, axes, fail);
        if (channels % groups !== 0) return fail(`${channels} channels do not divide into ${groups} groups`);
        const places = window.size.reduce((product, size) => product * size, 1);
        const depth = channels / groups;
        const w = parameter("kernel", [filters, depth, ...window.size], {
          ...kernel.options,
          fanIn: depth * places,
          fanOut: filters * places,
          rows: filters,
        });
        const b = useBias ? parameter("bias", [filters], bias.options) : undefined;
        return emit.op("Conv", [turned, w, b], {
          kernel_shape: window.size,
          strides: window.strides,
          dilations: window.dilations,
          pads: windowPads(spatial, window, fail),
          group: groups,
        });
      });
    },
  };
}
