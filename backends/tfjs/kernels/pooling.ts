import * as tf from "@tensorflow/tfjs-core";
import { EspalierError, slidingWindow, windowCounts } from "../../../core/index.ts";
import type { KernelContext, Kernels } from "./kernel.ts";
import {
  atOffset,
  offsets,
  padded,
  placeAt,
  readWindows,
  refuseSpatial,
  toChannelsFirst,
  toChannelsLast,
  toImages,
  type Windows,
} from "./windows.ts";

/** Below every float32: what padding is for a maximum. Shaders cannot spell infinity. */
const lowest = -3.402_823_4e38;

/** Poolings and their gradients. */
export const pooling: Kernels = {
  MaxPool: {
    run: maxPool,
    refuse: ({ inputType, outputTypes }) => (outputTypes.length > 1 ? "the output Indices" : refuseSpatial(inputType(0).shape.length)),
  },
  MaxPoolGrad: { run: maxPoolGrad, refuse: ({ inputType }) => refuseSpatial(inputType(0).shape.length) },
  AveragePool: { run: averagePool, refuse: ({ inputType }) => refuseSpatial(inputType(0).shape.length) },
  AveragePoolGrad: { run: averagePoolGrad, refuse: ({ inputType }) => refuseSpatial(inputType(0).shape.length) },
  GlobalAveragePool: {
    run: ({ input }) =>
      tf.mean(
        input(0),
        Array.from({ length: input(0).rank - 2 }, (_, i) => i + 2),
        true,
      ),
  },
};

function maxPool(context: KernelContext): tf.Tensor {
  const { inputType, outputType, input } = context;
  const windows = poolWindows(context, inputType(0).shape);
  if (Math.max(...windows.dilations) === 1) {
    const image = padded(toChannelsLast(input(0)), windows, lowest);
    return toChannelsFirst(tf.maxPool(image, [...windows.kernel], [...windows.strides], "valid"), outputType.shape);
  }
  const image = padded(toImages(input(0), windows.input), windows, lowest);
  const y = offsets(windows).map((offset) => atOffset(image, offset, windows));
  return tf.reshape(
    y.reduce((a, b) => tf.maximum(a, b)),
    [...outputType.shape],
  );
}

/** The first largest of each window, row by row, takes the gradient. */
function maxPoolGrad(context: KernelContext): tf.Tensor {
  const { inputType, outputType, input } = context;
  const windows = poolWindows(context, inputType(0).shape);
  const image = padded(toImages(input(0), windows.input), windows, lowest);
  const y = toImages(input(1), windows.output);
  const dy = toImages(input(2), windows.output);
  // What is left of dY when earlier places have taken their part.
  let left: tf.Tensor = dy;
  const parts = offsets(windows).map((offset) => {
    const part = tf.mul(left, tf.cast(tf.equal(atOffset(image, offset, windows), y), "float32"));
    left = tf.sub(left, part);
    return part as tf.Tensor4D; // as dY
  });
  return tf.reshape(assemble(parts, windows), [...outputType.shape]);
}

function averagePool(context: KernelContext): tf.Tensor {
  const { inputType, outputType, input } = context;
  const windows = poolWindows(context, inputType(0).shape);
  const places = windows.kernel[0] * windows.kernel[1];
  if (Math.max(...windows.dilations) === 1) {
    const image = padded(toChannelsLast(input(0)), windows);
    const mean = tf.avgPool(image, [...windows.kernel], [...windows.strides], "valid");
    const counts = elementCounts(context, inputType(0).shape);
    return toChannelsFirst(counts.every((count) => count === places) ? mean : tf.mul(mean, perPlace(counts, windows, places)), outputType.shape);
  }
  const image = padded(toImages(input(0), windows.input), windows);
  const sum = offsets(windows)
    .map((offset) => atOffset(image, offset, windows))
    .reduce((a, b) => tf.add(a, b));
  return tf.reshape(tf.mul(sum, perPlace(elementCounts(context, inputType(0).shape), windows, 1)), [...outputType.shape]);
}

function averagePoolGrad(context: KernelContext): tf.Tensor {
  const { outputType, input } = context;
  const windows = poolWindows(context, outputType.shape);
  const share = tf.mul<tf.Tensor4D>(toImages(input(0), windows.output), perPlace(elementCounts(context, outputType.shape), windows, 1));
  return tf.reshape(
    assemble(
      offsets(windows).map(() => share),
      windows,
    ),
    [...outputType.shape],
  );
}

function poolWindows(context: KernelContext, shape: readonly number[]): Windows {
  return readWindows(context, { kernel: context.attributes.ints("kernel_shape"), input: shape.slice(2) });
}

/** The gradients of all places of all windows, one image for each place, added up where windows overlap. */
function assemble(parts: readonly tf.Tensor4D[], windows: Windows): tf.Tensor {
  const { kernel, strides, dilations, input, output, begin } = windows;
  const tiles = ([0, 1] as const).every(
    (axis) => kernel[axis] === strides[axis] && dilations[axis] === 1 && begin[axis] === 0 && output[axis] * strides[axis] === input[axis],
  );
  if (!tiles) return parts.map((part, i) => placeAt(part, offsets(windows)[i] ?? [0, 0], windows)).reduce((a, b) => tf.add(a, b));
  // Windows side by side: putting the places in order is enough. One row of places at a time keeps it within rank 4.
  const [images] = (parts[0] as tf.Tensor4D).shape; // a window has at least one place
  const rows = Array.from({ length: kernel[0] }, (_, row) => {
    const places = parts.slice(row * kernel[1], (row + 1) * kernel[1]).map((part) => tf.reshape(part, [images, output[0], output[1], 1]));
    return tf.reshape(tf.concat(places, 3), [images, output[0], 1, input[1]]);
  });
  return tf.concat(rows, 2);
}

/** How many elements each window averages over, row by row; a window that lies in the padding alone counts as 1: its sum is 0. */
function elementCounts({ attributes, node }: KernelContext, shape: readonly number[]): readonly number[] {
  const window = slidingWindow(attributes, {
    kernel: attributes.ints("kernel_shape"),
    input: shape.slice(2),
    fail: (message) => {
      throw new EspalierError("GRAPH_SHAPE", `${node.name} (${node.operator}): ${message}`, { node: node.name });
    },
  });
  const axes = windowCounts(window, { includePad: attributes.int("count_include_pad") === 1 });
  return axes.reduce<readonly number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]).map((count) => Math.max(1, count));
}

/** scale / count for every window, as an image. */
function perPlace(counts: readonly number[], { output }: Windows, scale: number): tf.Tensor4D {
  return tf.tensor4d(
    counts.map((count) => scale / count),
    [1, output[0], output[1], 1],
  );
}
