import { checkActivation, type ActivationName } from "./activation.ts";
import { checkSize, checkSizes, type Pair, type Single, type Sizes } from "./argument.ts";
import type { Value } from "../operators/operator.ts";
import { channelsFirst, checkDataFormat, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerContext, type LayerName } from "./layer.ts";
import { weight, type Weight, type WeightArguments } from "./weight.ts";
import { checkPadding, spatialSizes, windowPads, type Padding, type WindowOptions } from "./window.ts";

/** What depthwise and separable convolutions take in common. */
interface Common<Size extends Sizes> extends LayerName, WeightArguments<"depthwise">, WeightArguments<"bias"> {
  readonly kernelSize: Size;
  readonly strides?: Size;
  readonly padding?: Padding;
  /** Of the input and the output; the weights lie the same in both. Default channels_first. */
  readonly dataFormat?: DataFormat;
  readonly dilationRate?: Size;
  /** How many outputs each channel has. Default 1. */
  readonly depthMultiplier?: number;
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
}

/** Arguments of Keras's DepthwiseConv1D and DepthwiseConv2D. */
export type DepthwiseConvOptions<Size extends Sizes> = Common<Size>;

/** Arguments of Keras's SeparableConv1D and SeparableConv2D. */
export interface SeparableConvOptions<Size extends Sizes> extends Common<Size>, WeightArguments<"pointwise"> {
  readonly filters: number;
}

/**
 * Each channel convolved by itself: [batch, channels, steps] -> [batch, channels * depthMultiplier, steps'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/
 */
export function depthwiseConv1D(options: DepthwiseConvOptions<Single>): Layer {
  return depthwise(options, { where: "depthwiseConv1D", kind: "DepthwiseConv1D", axes: 1 });
}

/**
 * Each channel convolved by itself: [batch, channels, height, width] -> [batch, channels * depthMultiplier, height', width'].
 *
 * Parameters `kernel` [channels * depthMultiplier, 1, ...kernelSize] and `bias` [channels * depthMultiplier].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image
 * @see https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/
 */
export function depthwiseConv2D(options: DepthwiseConvOptions<Pair>): Layer {
  return depthwise(options, { where: "depthwiseConv2D", kind: "DepthwiseConv2D", axes: 2 });
}

/**
 * A depthwise convolution and then a 1-wide one over all channels: [batch, channels, steps] -> [batch, filters, steps'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/convolution_layers/separable_convolution1d/
 */
export function separableConv1D(options: SeparableConvOptions<Single>): Layer {
  return separable(options, { where: "separableConv1D", kind: "SeparableConv1D", axes: 1 });
}

/**
 * A depthwise convolution and then a 1x1 one over all channels: [batch, channels, height, width] -> [batch, filters, height', width'].
 *
 * Parameters `depthwise_kernel` [channels * depthMultiplier, 1, ...kernelSize], `pointwise_kernel` [filters, channels * depthMultiplier, 1, 1] and `bias` [filters].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image
 * @see https://keras.io/api/layers/convolution_layers/separable_convolution2d/
 */
export function separableConv2D(options: SeparableConvOptions<Pair>): Layer {
  return separable(options, { where: "separableConv2D", kind: "SeparableConv2D", axes: 2 });
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly axes: number;
}

function depthwise(options: DepthwiseConvOptions<Sizes>, { where, kind, axes }: Which): Layer {
  const { depthMultiplier = 1, dataFormat = "channels_first", activation = "linear", useBias = true } = options;
  const { window, kernel, bias, config } = common(options, { where, kind, axes });
  return {
    ...described(kind, options, config),
    apply(context, x) {
      return channelsFirst(context, x, { axes, dataFormat, activation }, (turned) => {
        const [channels] = spatialSizes(turned, axes, context.fail);
        const each = { name: "kernel", window, kernel, depthMultiplier };
        const w = channelKernel(context, channels, each);
        const b = useBias ? context.parameter("bias", [channels * depthMultiplier], bias.options) : undefined;
        return eachChannel(context, turned, { window, kernel: w, bias: b });
      });
    },
  };
}

function separable(options: SeparableConvOptions<Sizes>, { where, kind, axes }: Which): Layer {
  const { filters, depthMultiplier = 1, dataFormat = "channels_first", activation = "linear", useBias = true } = options;
  checkSize(where, "filters", filters);
  const { window, kernel, bias, config } = common(options, { where, kind, axes });
  const pointwise = weight(where, "pointwise", options, "glorotUniform");
  return {
    ...described(kind, options, { filters, ...config, ...pointwise.config }),
    apply(context, x) {
      const { emit, parameter } = context;
      return channelsFirst(context, x, { axes, dataFormat, activation }, (turned) => {
        const [channels] = spatialSizes(turned, axes, context.fail);
        const depth = channels * depthMultiplier;
        const each = channelKernel(context, channels, { name: "depthwise_kernel", window, kernel, depthMultiplier });
        const between = eachChannel(context, turned, { window, kernel: each, bias: undefined });
        const ones = Array.from({ length: axes }, () => 1);
        const w = parameter("pointwise_kernel", [filters, depth, ...ones], { ...pointwise.options, fanIn: depth, fanOut: filters, rows: filters });
        const b = useBias ? parameter("bias", [filters], bias.options) : undefined;
        return emit.op("Conv", [between, w, b], { kernel_shape: ones });
      });
    },
  };
}

function common(
  options: Common<Sizes>,
  { where, axes }: Which,
): { readonly window: WindowOptions; readonly kernel: Weight; readonly bias: Weight; readonly config: Readonly<Record<string, unknown>> } {
  const {
    kernelSize,
    strides = 1,
    padding = "valid",
    dataFormat = "channels_first",
    dilationRate = 1,
    depthMultiplier = 1,
    activation = "linear",
    useBias = true,
  } = options;
  checkActivation(where, activation);
  checkPadding(where, padding);
  checkDataFormat(where, dataFormat);
  checkSize(where, "depthMultiplier", depthMultiplier);
  const size = checkSizes(where, "kernelSize", kernelSize, { axes });
  const steps = checkSizes(where, "strides", strides, { axes });
  const dilations = checkSizes(where, "dilationRate", dilationRate, { axes });
  const kernel = weight(where, "depthwise", options, "glorotUniform");
  const bias = weight(where, "bias", options, "zeros");
  const config = {
    kernelSize: size,
    strides: steps,
    padding,
    dataFormat,
    dilationRate: dilations,
    depthMultiplier,
    activation,
    useBias,
    ...kernel.config,
    ...bias.config,
  };
  return { window: { size, strides: steps, dilations, padding }, kernel, bias, config };
}

interface ChannelKernel {
  /** The parameter's name. */
  readonly name: string;
  readonly window: WindowOptions;
  readonly kernel: Weight;
  readonly depthMultiplier: number;
}

/** The parameter [channels * depthMultiplier, 1, ...size]. */
function channelKernel({ parameter }: LayerContext, channels: number, { name, window, kernel, depthMultiplier }: ChannelKernel): Value {
  const places = window.size.reduce((product, size) => product * size, 1);
  return parameter(name, [channels * depthMultiplier, 1, ...window.size], {
    ...kernel.options,
    fanIn: channels * places,
    fanOut: depthMultiplier * places,
    rows: channels * depthMultiplier,
  });
}

interface EachChannel {
  readonly window: WindowOptions;
  readonly kernel: Value;
  readonly bias: Value | undefined;
}

function eachChannel({ emit, fail }: LayerContext, x: Value, { window, kernel, bias }: EachChannel): Value {
  const [channels, ...spatial] = spatialSizes(x, window.size.length, fail);
  return emit.op("Conv", [x, kernel, bias], {
    kernel_shape: window.size,
    strides: window.strides,
    dilations: window.dilations ?? [],
    pads: windowPads(spatial, window, fail),
    group: channels,
  });
}
