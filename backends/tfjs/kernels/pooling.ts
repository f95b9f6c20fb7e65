import * as tf from "@tensorflow/tfjs-core";
import { EspalierError, slidingWindow, windowCounts } from "../../../core/index.ts";
import type { KernelContext, Kernels } from "./kernel.ts";
import { atOffset, isPlane, offsets, padded, placeAt, readWindows, toChannelsFirst, toChannelsLast, toImages, type Windows } from "./windows.ts";

/** Below every float32: what padding is for a maximum. Shaders cannot spell infinity. */
const lowest = -3.402_823_4e38;

/** Poolings and their gradients. */
export const pooling: Kernels = {
  MaxPool: { run: maxPool, takes: (use) => use.outputs === 1 && isPlane(use) },
  MaxPoolGrad: { run: maxPoolGrad, takes: isPlane },
  AveragePool: { run: averagePool, takes: isPlane },
  AveragePoolGrad: { run: averagePoolGrad, takes: isPlane },
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
  const y = toImages(input(1), windows.output);
  // What is left of dY when earlier places have taken their part.
  let left = toImages(input(2), windows.output);
  const parts = everyPlace(toImages(input(0), windows.input), windows).map((values) => {
    const part = tf.mul<tf.Tensor4D>(left, tf.cast(tf.equal(values, y), "float32"));
    left = tf.sub(left, part);
    return part;
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

/** What all windows have at each of their places, one image for each place. */
function everyPlace(image: tf.Tensor4D, windows: Windows): readonly tf.Tensor4D[] {
  if (!areTiles(windows)) {
    const around = padded(image, windows, lowest);
    return offsets(windows).map((offset) => atOffset(around, offset, windows));
  }
  // One transposition puts the places in order; strided slices took 60 times as long on wasm.
  const [height, width] = windows.output;
  const [down, right] = windows.kernel;
  const places = tf.transpose(tf.reshape(image, [image.shape[0] * height, down, width, right]), [1, 3, 0, 2]);
  return tf.split(tf.reshape(places, [down * right * image.shape[0], height, width, 1]), down * right, 0);
}

/** The gradients of all places of all windows, one image for each place, added up where windows overlap. */
function assemble(parts: readonly tf.Tensor4D[], windows: Windows): tf.Tensor {
  if (!areTiles(windows)) {
    return parts.map((part, i) => placeAt(part, offsets(windows)[i] ?? [0, 0], windows)).reduce((a, b) => tf.add(a, b));
  }
  const [down, right] = windows.kernel;
  const width = windows.output[1];
  return tf.transpose(tf.reshape(tf.concat([...parts], 0), [down, right, -1, width]), [2, 0, 3, 1]);
}

/** Whether windows lie side by side and cover the image. */
function areTiles({ kernel, strides, dilations, begin, input, output }: Windows): boolean {
  return ([0, 1] as const).every(
    (axis) => kernel[axis] === strides[axis] && dilations[axis] === 1 && begin[axis] === 0 && output[axis] * strides[axis] === input[axis],
  );
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
