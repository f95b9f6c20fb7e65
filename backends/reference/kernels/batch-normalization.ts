import { elementCount } from "../../../core/index.ts";
import { memoryFor, numbersOf, required, tensorOf, type KernelFactory, type Numbers, type NumericTensor } from "../kernel.ts";

/** Normalization of each channel of [n, c, ...] over all else, and its gradient. */
export const batchNormalizationKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__BatchNormalization.html */
  BatchNormalization: ({ attributes, outputTypes }) => {
    const [epsilon, momentum] = [attributes.float("epsilon"), attributes.float("momentum")];
    const isTraining = attributes.int("training_mode") === 1;
    return (inputs) => {
      const x = required(inputs, 0);
      const [source, scale, bias, oldMean, oldVariance] = [0, 1, 2, 3, 4].map((i) => numbersOf(required(inputs, i))) as [
        Numbers,
        Numbers,
        Numbers,
        Numbers,
        Numbers,
      ]; // five are asked for
      const out = memoryFor(x.dtype, source.length);
      const [nextMean, nextVariance] = [new Float64Array(scale.length), new Float64Array(scale.length)];
      for (const [channel, positions] of channelsOf(x).entries()) {
        const batch = isTraining ? momentsOf(source, positions) : undefined;
        const [mean, variance] = batch ? [batch.mean, batch.variance] : [oldMean[channel]!, oldVariance[channel]!];
        const slope = scale[channel]! / Math.sqrt(variance + epsilon);
        for (const at of positions) out[at] = (source[at]! - mean) * slope + bias[channel]!;
        nextMean[channel] = oldMean[channel]! * momentum + mean * (1 - momentum);
        nextVariance[channel] = oldVariance[channel]! * momentum + variance * (1 - momentum);
      }
      const running = [nextMean, nextVariance].map((values) => tensorOf(x.dtype, [scale.length], values));
      return [tensorOf(x.dtype, x.shape, out), ...running].slice(0, outputTypes.length);
    };
  },

  /** X to the mean and the population's variance of each channel. */
  BatchMoments: () => (inputs) => {
    const x = required(inputs, 0);
    const moments = channelsOf(x).map((positions) => momentsOf(numbersOf(x), positions));
    const values = [moments.map(({ mean }) => mean), moments.map(({ variance }) => variance)];
    return values.map((numbers) => tensorOf(x.dtype, [moments.length], Float64Array.from(numbers)));
  },

  /** dY, X, scale, mean, inverse deviation to dX, dScale, dB. */
  BatchNormalizationGrad: () => (inputs) => {
    const x = required(inputs, 1);
    const [dY, source, scale, mean, inverse] = [0, 1, 2, 3, 4].map((i) => numbersOf(required(inputs, i))) as [
      Numbers,
      Numbers,
      Numbers,
      Numbers,
      Numbers,
    ]; // five are asked for
    const dX = memoryFor(x.dtype, source.length);
    const [dScale, dBias] = [new Float64Array(scale.length), new Float64Array(scale.length)];
    for (const [channel, positions] of channelsOf(x).entries()) {
      const normal = (at: number): number => (source[at]! - mean[channel]!) * inverse[channel]!;
      for (const at of positions) {
        dBias[channel] = dBias[channel]! + dY[at]!;
        dScale[channel] = dScale[channel]! + dY[at]! * normal(at);
      }
      const [meanOfAll, meanOfMet] = [dBias[channel]! / positions.length, dScale[channel]! / positions.length];
      for (const at of positions) dX[at] = scale[channel]! * inverse[channel]! * (dY[at]! - meanOfAll - normal(at) * meanOfMet);
    }
    const ofChannels = [dScale, dBias].map((values) => tensorOf(x.dtype, [scale.length], values));
    return [tensorOf(x.dtype, x.shape, dX), ...ofChannels];
  },
};

/** Where the elements of each channel of [n, c, ...] lie. */
function channelsOf({ shape }: NumericTensor): readonly Int32Array[] {
  const [images = 1, channels = 1] = shape;
  const inner = elementCount(shape.slice(2));
  return Array.from({ length: channels }, (_, channel) =>
    Int32Array.from({ length: images * inner }, (__, i) => (Math.floor(i / inner) * channels + channel) * inner + (i % inner)),
  );
}

/** The mean and the population's variance of the elements at these places. */
export function momentsOf(x: Numbers, positions: Int32Array): { readonly mean: number; readonly variance: number } {
  let [sum, squares] = [0, 0];
  for (const at of positions) sum += x[at]!;
  const mean = sum / positions.length;
  for (const at of positions) squares += (x[at]! - mean) ** 2;
  return { mean, variance: squares / positions.length };
}
