import { elementCount } from "../../../core/index.ts";
import { stridedIndices, stridesOf, broadcastStrides } from "../indices.ts";
import { memoryFor, numbersOf, positiveAxis, required, tensorOf, type KernelFactory, type NumericTensor } from "../kernel.ts";
import { momentsOf } from "./batch-normalization.ts";

/** Normalizations whose groups of elements lie anywhere; each is a list of the places of its elements. Sums are in double precision. */
export const normalizationKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__LayerNormalization.html */
  LayerNormalization: ({ attributes, outputTypes }) => {
    const epsilon = attributes.float("epsilon");
    return (inputs) => {
      const x = required(inputs, 0);
      const axis = positiveAxis(attributes.int("axis"), x.shape.length);
      const [source, out] = [numbersOf(x), memoryFor(x.dtype, x.data.length)];
      const [scale, bias] = [spreadOver(required(inputs, 1), x.shape.slice(axis)), inputs[2] && spreadOver(inputs[2], x.shape.slice(axis))];
      const groups = runsOf(x.shape, axis);
      const [means, inverses] = [new Float64Array(groups.length), new Float64Array(groups.length)];
      for (const [group, positions] of groups.entries()) {
        const { mean, variance } = momentsOf(source, positions);
        const inverse = 1 / Math.sqrt(variance + epsilon);
        positions.forEach((at, i) => (out[at] = (source[at]! - mean) * inverse * scale[i]! + (bias?.[i] ?? 0)));
        [means[group], inverses[group]] = [mean, inverse];
      }
      const shape = x.shape.map((size, i) => (i < axis ? size : 1));
      const statistics = [means, inverses].map((values) => tensorOf(x.dtype, shape, values));
      return [tensorOf(x.dtype, x.shape, out), ...statistics].slice(0, outputTypes.length);
    };
  },

  /** dY, X, Scale, Mean, InvStdDev to dX, dScale. */
  LayerNormalizationGrad:
    ({ attributes }) =>
    (inputs) => {
      const [dY, x, scale] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
      const axis = positiveAxis(attributes.int("axis"), x.shape.length);
      const normalized = x.shape.slice(axis);
      const [gradients, source, weights] = [numbersOf(dY), numbersOf(x), spreadOver(scale, normalized)];
      const [means, inverses] = [numbersOf(required(inputs, 3)), numbersOf(required(inputs, 4))];
      const dX = memoryFor(x.dtype, source.length);
      const dScale = new Float64Array(scale.data.length);
      const owners = stridedIndices(normalized, broadcastStrides(scale.shape, normalized));
      for (const [group, positions] of runsOf(x.shape, axis).entries()) {
        const inverse = inverses[group]!;
        const normal = Float64Array.from(positions, (at) => (source[at]! - means[group]!) * inverse);
        const weighted = Float64Array.from(positions, (at, i) => gradients[at]! * weights[i]!);
        const [all, met] = [meanOf(weighted), meanOf(weighted.map((value, i) => value * normal[i]!))];
        positions.forEach((at, i) => {
          dX[at] = inverse * (weighted[i]! - all - normal[i]! * met);
          dScale[owners[i]!] = dScale[owners[i]!]! + gradients[at]! * normal[i]!;
        });
      }
      return [tensorOf(x.dtype, x.shape, dX), tensorOf(x.dtype, scale.shape, dScale)];
    },

  /** @see https://onnx.ai/onnx/operators/onnx__RMSNormalization.html */
  RMSNormalization:
    ({ attributes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const axis = positiveAxis(attributes.int("axis"), x.shape.length);
      const [source, out] = [numbersOf(x), memoryFor(x.dtype, x.data.length)];
      const scale = spreadOver(required(inputs, 1), x.shape.slice(axis));
      for (const positions of runsOf(x.shape, axis)) {
        const root = Math.sqrt(meanOf(Float64Array.from(positions, (at) => source[at]! ** 2)) + attributes.float("epsilon"));
        positions.forEach((at, i) => (out[at] = (source[at]! / root) * scale[i]!));
      }
      return [tensorOf(x.dtype, x.shape, out)];
    },

  /** @see https://onnx.ai/onnx/operators/onnx__GroupNormalization.html */
  GroupNormalization: ({ attributes }) => byChannel(() => attributes.int("num_groups"), attributes.float("epsilon")),

  /** @see https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html */
  InstanceNormalization: ({ attributes }) => byChannel((channels) => channels, attributes.float("epsilon")),

  /** @see https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html */
  MeanVarianceNormalization:
    ({ attributes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const [source, out] = [numbersOf(x), memoryFor(x.dtype, x.data.length)];
      for (const positions of groupsOver(x.shape, attributes.ints("axes"))) {
        const { mean, variance } = momentsOf(source, positions);
        for (const at of positions) out[at] = (source[at]! - mean) / (Math.sqrt(variance) + 1e-9);
      }
      return [tensorOf(x.dtype, x.shape, out)];
    },

  /** @see https://onnx.ai/onnx/operators/onnx__LRN.html */
  LRN: ({ attributes }) => {
    const [size, alpha, beta, bias] = [attributes.int("size"), attributes.float("alpha"), attributes.float("beta"), attributes.float("bias")];
    return (inputs) => {
      const x = required(inputs, 0);
      const [channels, inner] = [x.shape[1]!, elementCount(x.shape.slice(2))];
      const [source, out] = [numbersOf(x), memoryFor(x.dtype, x.data.length)];
      for (let i = 0; i < source.length; i += 1) {
        const channel = Math.floor(i / inner) % channels;
        const first = Math.max(0, channel - Math.floor((size - 1) / 2));
        const last = Math.min(channels - 1, channel + Math.ceil((size - 1) / 2));
        let squares = 0;
        for (let other = first; other <= last; other += 1) squares += source[i + (other - channel) * inner]! ** 2;
        out[i] = source[i]! / (bias + (alpha / size) * squares) ** beta;
      }
      return [tensorOf(x.dtype, x.shape, out)];
    };
  },
};

/** Groups of the channels of [n, c, ...]; inputs 1 and 2 are scale and bias, one number a channel. */
function byChannel(groupsOf: (channels: number) => number, epsilon: number): ReturnType<KernelFactory> {
  return (inputs) => {
    const [x, scale, bias] = [required(inputs, 0), numbersOf(required(inputs, 1)), numbersOf(required(inputs, 2))];
    const [images, channels, inner] = [x.shape[0]!, x.shape[1]!, elementCount(x.shape.slice(2))];
    const groups = groupsOf(channels);
    const [source, out] = [numbersOf(x), memoryFor(x.dtype, x.data.length)];
    for (const positions of runsOf([images, groups, (channels / groups) * inner], 2)) {
      const { mean, variance } = momentsOf(source, positions);
      for (const at of positions) {
        const channel = Math.floor(at / inner) % channels;
        out[at] = ((source[at]! - mean) / Math.sqrt(variance + epsilon)) * scale[channel]! + bias[channel]!;
      }
    }
    return [tensorOf(x.dtype, x.shape, out)];
  };
}

/** The places of the elements that share all coordinates before `axis`. */
function runsOf(shape: readonly number[], axis: number): readonly Int32Array[] {
  const size = elementCount(shape.slice(axis));
  return Array.from({ length: elementCount(shape.slice(0, axis)) }, (_, run) => Int32Array.from({ length: size }, (__, i) => run * size + i));
}

/** The places of the elements that share all coordinates outside the axes. */
function groupsOver(shape: readonly number[], given: readonly number[]): readonly Int32Array[] {
  const axes = new Set(given.map((axis) => positiveAxis(axis, shape.length)));
  const strides = stridesOf(shape);
  const pick = <T>(values: readonly T[], inside: boolean): T[] => values.filter((_, axis) => axes.has(axis) === inside);
  const starts = stridedIndices(pick(shape, false), pick(strides, false));
  return Array.from(starts, (start) => stridedIndices(pick(shape, true), pick(strides, true), start));
}

/** A tensor's numbers repeated to a larger shape, in row-major order. */
function spreadOver(value: NumericTensor, shape: readonly number[]): Float64Array {
  const numbers = numbersOf(value);
  return Float64Array.from(stridedIndices(shape, broadcastStrides(value.shape, shape)), (at) => numbers[at]!);
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
