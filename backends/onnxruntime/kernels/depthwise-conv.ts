import { checkedWindow } from "../../../core/index.ts";
import { combineMoments, momentBytes, momentsFunction, scratchOfMoments } from "./batch-moments.ts";
import { numberBytes, numbersPhase, scratchOfNumbers, type NormalizationOptions } from "./batch-normalization.ts";
import { partBytes, eachPart, type HostKernel, type KernelPlan, type KernelUse } from "./host-kernel.ts";
import { planesAtOnce, planeSlack } from "./padded-planes.ts";
import { filterFunction, filterLayout, type PlaneFilter } from "./plane-filter.ts";
import { planeWindow, type Pair } from "./plane-window.ts";

/**
 * Depthwise convolution: Conv(X, W, B) of images where every channel has one kernel.
 *
 * Planes of X are copied with their padding around them; then a block of the output's rows is kept in registers while each vector of X meets all of the
 * kernel's places that see it. ONNX Runtime 1.30 took 12 ms for [32, 144, 32, 32] with 3x3; this takes 4.
 */
export const depthwiseConv: HostKernel = {
  operator: "Conv",
  plan(use) {
    if (use.fixed?.[1] === true) return undefined; // ONNX Runtime packs them, and is fast then
    return planDepthwiseConv(use, { hasBias: use.inputs[2] !== undefined });
  },
};

/** A depthwise convolution's gradient by its input: the convolution of dY, with zeros between its elements for strides, by the flipped kernel. */
export const depthwiseInputGrad: HostKernel = {
  operator: "ConvInputGrad",
  plan(use) {
    const filter = depthwiseFilter(use, { kernel: use.inputs[1]?.shape, spatial: use.attributes.ints("input_spatial") });
    const turned = filter && turn(filter);
    return turned && planFilter(turned, {});
  },
};

interface FilterShapes {
  readonly kernel: readonly number[] | undefined;
  readonly spatial: readonly number[] | undefined;
}

/** Rows of a kernel whose weights are in registers while the output's are. */
const tallestKernel = 9;

/** The convolution when it is one that the kernel takes: float32 images, one kernel a channel, strides 1 and 2 along rows. */
function depthwiseFilter(
  { attributes, inputs: [data] }: Pick<KernelUse, "attributes" | "inputs">,
  { kernel: weights, spatial }: FilterShapes,
): PlaneFilter | undefined {
  const [images = 0, channels = 0] = data?.shape ?? [];
  const group = attributes.int("group");
  if (data?.dtype !== "float32" || weights?.length !== 4 || spatial?.length !== 2) return undefined;
  if (group !== channels || weights[0] !== channels || weights[1] !== 1 || channels * images === 0) return undefined;
  const window = planeWindow(checkedWindow(attributes, weights.slice(2), spatial));
  if (window.strides[1] > 2 || window.kernel[0] > tallestKernel || [...window.input, ...window.output].includes(0)) return undefined;
  return { images, channels, ...window, spread: [1, 1], isFlipped: false };
}

/** The filter that takes the gradient back, or undefined where the padding is wider than the kernel. */
function turn(filter: PlaneFilter): PlaneFilter | undefined {
  const { input, output, kernel, dilations } = filter;
  const begin: Pair = [(kernel[0] - 1) * dilations[0] - filter.begin[0], (kernel[1] - 1) * dilations[1] - filter.begin[1]];
  if (begin.some((pad) => pad < 0)) return undefined;
  return { ...filter, input: output, output: input, begin, strides: [1, 1], spread: filter.strides, isFlipped: true };
}

/** What is computed on the way. */
export interface FilterExtras {
  /** Whether input 2 is a bias. */
  readonly hasBias?: boolean;
  /** X is normalised and activated as it is read; the next inputs are scale, B, mean and variance. */
  readonly normalization?: NormalizationOptions;
  /** Whether mean and variance of Y's channels are outputs 1 and 2. */
  readonly hasMoments?: boolean;
}

/** The plan of a depthwise convolution for inputs X, W and what the extras take, or undefined where it is none that the kernel takes. */
export function planDepthwiseConv(use: Pick<KernelUse, "attributes" | "inputs">, extras: FilterExtras): KernelPlan | undefined {
  const [x, weights] = use.inputs;
  const filter = depthwiseFilter(use, { kernel: weights?.shape, spatial: x?.shape.slice(2) });
  if (filter === undefined || (extras.hasMoments === true && (filter.output[0] * filter.output[1]) % 4 > 0)) return undefined;
  return planFilter(filter, extras);
}

function planFilter(filter: PlaneFilter, { hasBias = false, normalization, hasMoments = false }: FilterExtras): KernelPlan {
  const { images, channels, input, output, kernel } = filter;
  const planes = filterLayout(filter);
  const source = filterFunction(filter, { planes, hasBias, ...(normalization && { input: { bounds: normalization.bounds } }) });
  const [pixels, places] = [input[0] * input[1], output[0] * output[1]];
  const moments = momentsFunction(places);
  const width = Math.min(channels, Math.max(1, Math.floor(partBytes / (Math.max(pixels, places) * 4))));
  const [partSize, results] = [width * pixels * 4, width * places * 4];
  const taps = kernel[0] * kernel[1] * 4;
  const padded = planesAtOnce(planes) * planes.planeBytes + planeSlack;
  const [resultsAt, paddedAt] = [partSize, partSize + results];
  const [weightsAt, biasesAt] = [paddedAt + padded, paddedAt + padded + channels * taps];
  const momentsAt = normalization === undefined ? 0 : channels * numberBytes; // after the numbers
  const combined = combineMoments({ images, channels, pixels: places }, { at: momentsAt, firstOutput: 1 });
  return {
    functions: [source, ...(hasMoments ? [moments] : [])],
    writes: [images * channels * places, ...(hasMoments ? [channels, channels] : [])],
    scratchBytes: Math.max(biasesAt + channels * 4, channels * Math.max(scratchOfNumbers, scratchOfMoments)),
    sharedBytes: momentsAt + (hasMoments ? images * channels * momentBytes : 0),
    phases: [
      ...(normalization === undefined ? [] : [numbersPhase(normalization, { channels, firstInput: hasBias ? 3 : 2 })]),
      ({ functions, scratch, shared, floats, read, target, write, share }, [from = 0n, weights = 0n, bias = 0n], [to = 0n]) => {
        floats.fill(0, (scratch + paddedAt) / 4, (scratch + paddedAt + padded) / 4);
        const kernels = read(scratch + weightsAt, weights, { offset: 0, bytes: channels * taps });
        const biases = hasBias ? read(scratch + biasesAt, bias, { offset: 0, bytes: channels * 4 }) : 0;
        eachPart({ images, channels, pixels, width }, share, ({ image, channel, count, place }) => {
          const outputPlace = { offset: (image * channels + channel) * places * 4, bytes: count * places * 4 };
          const x = read(scratch, from, place);
          const y = target(scratch + resultsAt, to, outputPlace);
          functions[source.name]?.(x, y, kernels + channel * taps, biases + channel * 4, scratch + paddedAt, shared + channel * numberBytes, count);
          if (hasMoments) functions[moments.name]?.(y, shared + momentsAt + (image * channels + channel) * momentBytes, count);
          write(to, y, outputPlace);
        });
      },
      ...(hasMoments ? [combined] : []),
    ],
  };
}
