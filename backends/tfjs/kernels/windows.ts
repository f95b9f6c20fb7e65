import * as tf from "@tensorflow/tfjs-core";
import { EspalierError, elementCount, slidingWindow, type OperatorUse, type SlidingWindow } from "../../../core/index.ts";
import type { NodeContext } from "./kernel.ts";

/** How windows slide over two spatial dimensions; one dimension is two with a first of size 1. */
export interface Windows {
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [height: number, width: number];
  readonly dilations: readonly [height: number, width: number];
  /** Rows and columns added around; those at the end are what the output's size asks for, also under `ceil_mode`. Negative ones crop. */
  readonly begin: readonly [top: number, left: number];
  readonly end: readonly [bottom: number, right: number];
  readonly input: readonly [height: number, width: number];
  readonly output: readonly [height: number, width: number];
}

/** What slides over what. */
export interface WindowSizes {
  readonly kernel: readonly number[];
  /** The spatial sizes of X, which is a gradient node's output. */
  readonly input: readonly number[];
}

/** Works out the windows of a convolution, a pooling or the gradient of one. */
export function readWindows({ attributes, node }: NodeContext, { kernel, input }: WindowSizes): Windows {
  const window = slidingWindow(attributes, {
    kernel,
    input,
    fail: (message) => {
      throw new EspalierError("GRAPH_SHAPE", `${node.name} (${node.operator}): ${message}`, { node: node.name });
    },
  });
  return inTwoDimensions(window);
}

/** The same windows over two axes, with as much at the end as the last ones reach over. */
export function inTwoDimensions(window: Omit<SlidingWindow, "end">): Windows {
  const [strides, dilations] = [pair(window.strides, 1), pair(window.dilations, 1)];
  const [kernel, input, output] = [pair(window.kernel, 1), pair(window.input, 1), pair(window.output, 1)];
  const begin = pair(window.begin, 0);
  const end = ([0, 1] as const).map(
    (axis) => (output[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 - input[axis] - begin[axis],
  );
  return { kernel, strides, dilations, begin, end: pair(end, 0), input, output };
}

/** Two numbers, the first of them filled in where there is one. */
export function pair(values: readonly number[], fallback: number): readonly [number, number] {
  const [first, second] = values;
  return second === undefined ? [fallback, first ?? fallback] : [first ?? fallback, second];
}

/** Whether windows slide over 1 or 2 axes, which is what TensorFlow.js is given. */
export function isPlane({ inputs: [x] }: OperatorUse): boolean {
  return x?.shape.length === 3 || x?.shape.length === 4;
}

/** [batch, channels, ...spatial] as [batch, height, width, channels]. */
export function toChannelsLast(x: tf.Tensor): tf.Tensor4D {
  const [batch = 1, channels = 1, ...spatial] = x.shape;
  const [height, width] = pair(spatial, 1);
  // A single channel is the same memory in both layouts.
  if (channels === 1) return tf.reshape(x, [batch, height, width, 1]);
  return tf.transpose(tf.reshape(x, [batch, channels, height, width]), [0, 2, 3, 1]);
}

/** [batch, height, width, channels] as `shape`, which has its channels second. */
export function toChannelsFirst(x: tf.Tensor4D, shape: readonly number[]): tf.Tensor {
  return tf.reshape(x.shape[3] === 1 ? x : tf.transpose(x, [0, 3, 1, 2]), [...shape]);
}

/** Every channel of every row as an image of its own: [batch * channels, height, width, 1]. */
export function toImages(x: tf.Tensor, size: readonly [number, number]): tf.Tensor4D {
  const images = elementCount(x.shape.slice(0, 2));
  return tf.reshape(x, [images, size[0], size[1], 1]);
}

/** Adds `value` around an image's rows and columns [top, bottom, left, right]; negative counts crop. */
function padOrCrop(x: tf.Tensor4D, around: readonly [number, number, number, number], value = 0): tf.Tensor4D {
  const [top, bottom, left, right] = around;
  const [batch, height, width, channels] = x.shape;
  const kept = [height + Math.min(0, top) + Math.min(0, bottom), width + Math.min(0, left) + Math.min(0, right)] as const;
  if (Math.min(...kept) <= 0) return tf.add(tf.zeros<tf.Rank.R4>([batch, height + top + bottom, width + left + right, channels]), value); // all of it is cropped
  const cropped = around.some((count) => count < 0) ? tf.slice(x, [0, Math.max(0, -top), Math.max(0, -left), 0], [batch, ...kept, channels]) : x;
  if (around.every((count) => count <= 0)) return cropped;
  const positive = around.map((count) => Math.max(0, count)) as [number, number, number, number]; // as many as came
  return tf.pad4d(
    cropped,
    [
      [0, 0],
      [positive[0], positive[1]],
      [positive[2], positive[3]],
      [0, 0],
    ],
    value,
  );
}

/** The image with the padding that the windows ask for. */
export function padded(x: tf.Tensor4D, { begin, end }: Windows, value = 0): tf.Tensor4D {
  return padOrCrop(x, [begin[0], end[0], begin[1], end[1]], value);
}

/** The places of one window, row by row. */
export function offsets({ kernel }: Windows): readonly (readonly [row: number, column: number])[] {
  return Array.from({ length: kernel[0] * kernel[1] }, (_, i) => [Math.floor(i / kernel[1]), i % kernel[1]] as const);
}

/** What all windows have at one of their places: [batch, output height, output width, channels] of a padded image. */
export function atOffset(image: tf.Tensor4D, [row, column]: readonly [number, number], { strides, dilations, output }: Windows): tf.Tensor4D {
  const start: [number, number, number, number] = [0, row * dilations[0], column * dilations[1], 0];
  const span = [(output[0] - 1) * strides[0] + 1, (output[1] - 1) * strides[1] + 1] as const;
  const part = sliceRows(image, start, [image.shape[0], span[0], span[1], image.shape[3]]);
  return everyNth(part, strides);
}

type Four = [number, number, number, number];

/** A slice by runs of the last axis, as the wasm kernel copies: of rows where there is one channel. */
function sliceRows(x: tf.Tensor4D, begin: Four, size: Four): tf.Tensor4D {
  if (x.shape[3] !== 1) return tf.slice(x, begin, size);
  const [images, height, width] = x.shape;
  return tf.reshape(tf.slice(tf.reshape<tf.Rank.R3>(x, [images, height, width]), begin.slice(0, 3), size.slice(0, 3)), size);
}

/** The reverse of `atOffset`: values put where the windows had them, zeros elsewhere: [batch, input height, input width, channels]. */
export function placeAt(values: tf.Tensor4D, [row, column]: readonly [number, number], windows: Windows): tf.Tensor4D {
  const { strides, dilations, begin, input } = windows;
  const spread = spreadOut(values, strides);
  const top = row * dilations[0] - begin[0];
  const left = column * dilations[1] - begin[1];
  return padOrCrop(spread, [top, input[0] - top - spread.shape[1], left, input[1] - left - spread.shape[2]]);
}

/** Zeros between the rows and columns: sizes become (size - 1) stride + 1. */
export function spreadOut(x: tf.Tensor4D, [down, right]: readonly [number, number]): tf.Tensor4D {
  if (down === 1 && right === 1) return x;
  const [batch, height, width, channels] = x.shape;
  const wide = tf.reshape(
    tf.pad4d(tf.reshape(x, [batch * height, width, 1, channels]), [
      [0, 0],
      [0, 0],
      [0, right - 1],
      [0, 0],
    ]),
    [batch, height, 1, width * right * channels],
  );
  const tall = tf.reshape(
    tf.pad4d(wide as tf.Tensor4D, [
      [0, 0],
      [0, 0],
      [0, down - 1],
      [0, 0],
    ]),
    [batch, height * down, width * right, channels],
  );
  return tf.slice(tall as tf.Tensor4D, [0, 0, 0, 0], [batch, (height - 1) * down + 1, (width - 1) * right + 1, channels]);
}

/** Every n-th row and column, the first included. */
export function everyNth(x: tf.Tensor4D, [down, right]: readonly [number, number]): tf.Tensor4D {
  if (down === 1 && right === 1) return x;
  return tf.stridedSlice(x, [0, 0, 0, 0], [...x.shape], [1, down, right, 1]) as tf.Tensor4D; // strides keep the rank
}
