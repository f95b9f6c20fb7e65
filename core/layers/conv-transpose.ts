import { checkActivation, type ActivationName } from "./activation.ts";
import { checkSize, checkSizes, type Pair, type Single, type Sizes, type Triple } from "./argument.ts";
import { EspalierError } from "../errors.ts";
import { channelsFirst, checkDataFormat, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { weight, type WeightArguments } from "./weight.ts";
import { checkPadding, spatialSizes, type Padding } from "./window.ts";

/** Arguments of Keras's Conv1DTranspose, Conv2DTranspose and Conv3DTranspose. */
export interface ConvTransposeOptions<Size extends Sizes> extends LayerName, WeightArguments<"kernel">, WeightArguments<"bias"> {
  readonly filters: number;
  readonly kernelSize: Size;
  readonly strides?: Size;
  readonly padding?: Padding;
  /** Of the input and the output; the weights lie the same in both. Default channels_first. */
  readonly dataFormat?: DataFormat;
  /** Places added at one end of the output, fewer than the stride; by default chosen so that `same` gives stride times the input's size. */
  readonly outputPadding?: Size | undefined;
  readonly dilationRate?: Size;
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
}

/**
 * The reverse of a convolution's sizes: [batch, channels, steps] -> [batch, filters, steps'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/convolution_layers/convolution1d_transpose/
 */
export function conv1DTranspose(options: ConvTransposeOptions<Single>): Layer {
  return transposed(options, { where: "conv1DTranspose", kind: "Conv1DTranspose", axes: 1 });
}

/**
 * The reverse of a convolution's sizes: [batch, channels, height, width] -> [batch, filters, height', width'].
 *
 * Parameters `kernel` [channels, filters, ...kernelSize] and `bias` [filters].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image
 * @see https://keras.io/api/layers/convolution_layers/convolution2d_transpose/
 */
export function conv2DTranspose(options: ConvTransposeOptions<Pair>): Layer {
  return transposed(options, { where: "conv2DTranspose", kind: "Conv2DTranspose", axes: 2 });
}

/**
 * The reverse of a convolution's sizes: [batch, channels, depth, height, width] -> [batch, filters, depth', height', width'].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no volume
 * @see https://keras.io/api/layers/convolution_layers/convolution3d_transpose/
 */
export function conv3DTranspose(options: ConvTransposeOptions<Triple>): Layer {
  return transposed(options, { where: "conv3DTranspose", kind: "Conv3DTranspose", axes: 3 });
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly axes: number;
}

function transposed(options: ConvTransposeOptions<Sizes>, { where, kind, axes }: Which): Layer {
  const {
    filters,
    kernelSize,
    strides = 1,
    padding = "valid",
    dataFormat = "channels_first",
    outputPadding,
    dilationRate = 1,
    activation = "linear",
    useBias = true,
  } = options;
  checkSize(where, "filters", filters);
  checkActivation(where, activation);
  checkPadding(where, padding);
  checkDataFormat(where, dataFormat);
  const size = checkSizes(where, "kernelSize", kernelSize, { axes });
  const steps = checkSizes(where, "strides", strides, { axes });
  const dilations = checkSizes(where, "dilationRate", dilationRate, { axes });
  const extra = outputPadding === undefined ? undefined : checkSizes(where, "outputPadding", outputPadding, { axes, smallest: 0 });
  if (extra?.some((one, i) => one >= (steps[i] ?? 1))) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${where}: outputPadding [${extra.join(", ")}] must be smaller than strides [${steps.join(", ")}], or the last places would see nothing`,
      { outputPadding: extra, strides: steps },
    );
  }
  const kernel = weight(where, "kernel", options, "glorotUniform");
  const bias = weight(where, "bias", options, "zeros");
  return {
    ...described(kind, options, {
      filters,
      kernelSize: size,
      strides: steps,
      padding,
      dataFormat,
      ...(extra && { outputPadding: extra }),
      dilationRate: dilations,
      activation,
      useBias,
      ...kernel.config,
      ...bias.config,
    }),
    apply(context, x) {
      const { emit, parameter, fail } = context;
      return channelsFirst(context, x, { axes, dataFormat, activation }, (turned) => {
        const [channels] = spatialSizes(turned, axes, fail);
        const places = size.reduce((product, length) => product * length, 1);
        const w = parameter("kernel", [channels, filters, ...size], {
          ...kernel.options,
          fanIn: filters * places,
          fanOut: channels * places,
          rows: channels,
        });
        const b = useBias ? parameter("bias", [filters], bias.options) : undefined;
        const edges = size.map((length, i) =>
          cut({ extent: 1 + (length - 1) * (dilations[i] ?? 1), stride: steps[i] ?? 1, extra: extra?.[i], padding }),
        );
        return emit.op("ConvTranspose", [turned, w, b], {
          kernel_shape: size,
          strides: steps,
          dilations,
          pads: [...edges.map(({ begin }) => begin), ...edges.map(({ end }) => end)],
          output_padding: edges.map((edge) => edge.extra),
        });
      });
    },
  };
}

interface Axis {
  readonly extent: number;
  readonly stride: number;
  readonly extra: number | undefined;
  readonly padding: Padding;
}

/** What is cut from an axis of the full output, stride (input - 1) + extent, and what is added at its end. */
function cut({ extent, stride, extra, padding }: Axis): { readonly begin: number; readonly end: number; readonly extra: number } {
  if (padding === "valid") return { begin: 0, end: 0, extra: extra ?? Math.max(stride - extent, 0) };
  // `same` is the gradient of a convolution over stride * input places, which pads extent - stride in all; with `outputPadding` it pads half an
  // extent at each end, less what is added. The larger half is at the end.
  const total = extra === undefined ? extent - stride : 2 * Math.floor(extent / 2) - extra;
  const cutting = Math.max(total, 0);
  return { begin: Math.floor(cutting / 2), end: cutting - Math.floor(cutting / 2), extra: Math.max(-total, 0) };
}
