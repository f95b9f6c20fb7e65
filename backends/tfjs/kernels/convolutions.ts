import * as tf from "@tensorflow/tfjs-core";
import { EspalierError, transposedWindow } from "../../../core/index.ts";
import type { TfjsDevice } from "../device.ts";
import type { KernelContext, Kernels } from "./kernel.ts";
import { emptyMargins, product } from "./matrices.ts";
import {
  atOffset,
  everyNth,
  inTwoDimensions,
  isPlane,
  offsets,
  padded,
  pair,
  readWindows,
  spreadOut,
  toChannelsFirst,
  toChannelsLast,
  type Windows,
} from "./windows.ts";

/** Convolution and its two gradients. The graph is channels first, TensorFlow.js convolves channels last. */
export const convolutions: Kernels = {
  ConvTranspose: { run: convTranspose, takes: isPlane },
  Conv: { run: conv, takes: isPlane },
  ConvInputGrad: { run: convInputGrad, takes: isPlane },
  ConvWeightGrad: { run: convWeightGrad, takes: isPlane },
};

function conv(context: KernelContext): tf.Tensor {
  const { input, inputs, inputType, outputType, attributes } = context;
  const windows = readWindows(context, { kernel: inputType(1).shape.slice(2), input: inputType(0).shape.slice(2) });
  const y = convolve(toChannelsLast(input(0)), filters(input(1)), {
    windows,
    device: context.device,
    group: attributes.int("group"),
    bias: inputs[2],
  });
  return toChannelsFirst(y, outputType.shape);
}

/** Kernels [out, in / group, ...spatial] as [height, width, in / group, out]. */
function filters(weights: tf.Tensor): tf.Tensor4D {
  const [outs = 1, ins = 1, ...spatial] = weights.shape;
  return tf.transpose(tf.reshape(weights, [outs, ins, ...pair(spatial, 1)]), [2, 3, 1, 0]);
}

/** How `convolve` slides, in how many groups of channels, and what it adds to each output channel. */
interface ConvolveOptions {
  readonly device: TfjsDevice;
  readonly windows: Windows;
  readonly group: number;
  readonly bias?: tf.Tensor | undefined;
}

/** Convolves [batch, height, width, in] with [height, width, in / group, out]. */
function convolve(x: tf.Tensor4D, given: tf.Tensor4D, { windows, group, bias, device }: ConvolveOptions): tf.Tensor4D {
  // TensorFlow.js takes either strides or dilations, so with both it computes every place and picks.
  const both = Math.max(...windows.strides) > 1 && Math.max(...windows.dilations) > 1;
  const strides: [number, number] = both ? [1, 1] : [...windows.strides];
  const dilations: [number, number] = [...windows.dilations];
  const { begin, end } = windows;
  const croppedFirst = begin[0] < 0 || begin[1] < 0 || end[0] < 0 || end[1] < 0;
  const image = emptyMargins(croppedFirst ? padded(x, windows) : x, device);
  const pad: tf.backend_util.ExplicitPadding = croppedFirst
    ? noPadding
    : [
        [0, 0],
        [begin[0], end[0]],
        [begin[1], end[1]],
        [0, 0],
      ];
  const y = ((): tf.Tensor4D => {
    const [height, width, ins, outs] = given.shape;
    const filter = emptyMargins(given, device);
    if (group === 1) {
      const [x4, options] = [image, { strides, pad, dilations }];
      const fused =
        bias === undefined ? tf.conv2d(x4, filter, strides, pad, "NHWC", dilations) : tf.fused.conv2d({ x: x4, filter, ...options, bias });
      return fused;
    }
    const parts =
      ins === 1
        ? tf.depthwiseConv2d(image, tf.reshape(filter, [height, width, group, outs / group]), strides, pad, "NHWC", dilations)
        : tf.concat(
            zip(tf.split<tf.Tensor4D>(image, group, 3), tf.split<tf.Tensor4D>(filter, group, 3)).map(([part, weights]) =>
              tf.conv2d(part, weights, strides, pad, "NHWC", dilations),
            ),
            3,
          );
    return bias === undefined ? parts : tf.add(parts, bias);
  })();
  return both ? everyNth(y, windows.strides) : y;
}

const noPadding: tf.backend_util.ExplicitPadding = [
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
];

function convInputGrad(context: KernelContext): tf.Tensor {
  const { input, inputType, outputType, attributes } = context;
  const windows = readWindows(context, { kernel: inputType(1).shape.slice(2), input: outputType.shape.slice(2) });
  return toChannelsFirst(
    convolveBack(toChannelsLast(input(0)), input(1), { windows, device: context.device, group: attributes.int("group") }),
    outputType.shape,
  );
}

/** ConvTranspose is the way back of a convolution, used as a layer. */
function convTranspose(context: KernelContext): tf.Tensor {
  const { input, inputs, inputType, outputType, attributes, node } = context;
  const kernel = inputType(1).shape.slice(2);
  const output = inputType(0).shape.slice(2);
  const geometry = transposedWindow(attributes, {
    kernel,
    input: output,
    fail: (message) => {
      throw new EspalierError("GRAPH_SHAPE", `${node.name} (${node.operator}): ${message}`, { node: node.name });
    },
  });
  const windows = inTwoDimensions({ ...geometry, kernel, input: outputType.shape.slice(2), output });
  const y = convolveBack(toChannelsLast(input(0)), input(1), { windows, device: context.device, group: attributes.int("group"), bias: inputs[2] });
  return toChannelsFirst(y, outputType.shape);
}

/**
 * What a convolution's windows saw, from what came out of them: a convolution of `dy`, spread out by the strides, with the kernels turned round. The
 * backward kernel of wasm is a plain loop; this one reaches XNNPACK.
 *
 * @param windows those of the convolution forwards
 */
function convolveBack(dy: tf.Tensor4D, weights: tf.Tensor, { windows, group, bias, device }: ConvolveOptions): tf.Tensor4D {
  const { strides, dilations, kernel, begin, input, output } = windows;
  const before = ([0, 1] as const).map((axis) => dilations[axis] * (kernel[axis] - 1) - begin[axis]);
  const after = ([0, 1] as const).map((axis) => input[axis] - 1 - (output[axis] - 1) * strides[axis] + begin[axis]);
  const back: Windows = { ...windows, strides: [1, 1], begin: pair(before, 0), end: pair(after, 0) };
  return convolve(spreadOut(dy, strides), turned(weights, group), { windows: back, device, group, bias });
}

/** Kernels [out, in / group, ...spatial] as those of the way back, upside down: [height, width, out / group, in]. */
function turned(weights: tf.Tensor, group: number): tf.Tensor4D {
  const [outs = 1, ins = 1, ...spatial] = weights.shape;
  const [height, width] = pair(spatial, 1);
  const grouped = tf.transpose(tf.reshape(weights, [group, outs / group, ins, height * width]), [3, 1, 0, 2]);
  return tf.reshape(tf.reverse(grouped, 0), [height, width, outs / group, group * ins]);
}

/** dW as one product: what each kernel element met, times dY. */
function convWeightGrad(context: KernelContext): tf.Tensor {
  const { input, inputType, outputType, attributes, device } = context;
  const group = attributes.int("group");
  const windows = readWindows(context, { kernel: outputType.shape.slice(2), input: inputType(0).shape.slice(2) });
  const [outs = 1, ins = 1] = outputType.shape;
  const [batch = 1, channels = 1] = inputType(0).shape;
  // Channels first and the batch last: what one kernel element met then lies in long runs of memory, and the parts end to end.
  const images = tf.transpose<tf.Tensor4D>(tf.reshape(input(0), [batch, channels, ...windows.input]), [1, 2, 3, 0]);
  const gradients = tf.transpose<tf.Tensor4D>(tf.reshape(input(1), [batch, outs, ...windows.output]), [2, 3, 0, 1]);
  const places = windows.kernel[0] * windows.kernel[1];
  const perGroup = zip(tf.split<tf.Tensor4D>(padded(images, windows), group, 0), tf.split<tf.Tensor4D>(gradients, group, 3)).map(
    ([image, gradient]) => {
      const met = tf.concat(
        offsets(windows).map((offset) => tf.reshape(atOffset(image, offset, windows), [ins, -1])),
        0,
      ); // [places * ins, output places * batch]
      const dw = product(met, tf.reshape(gradient, [-1, outs / group]), { device });
      return tf.transpose(tf.reshape(dw, [places, ins, outs / group]), [2, 1, 0]); // [outs / group, ins, places]
    },
  );
  return tf.reshape(tf.concat(perGroup, 0), [...outputType.shape]);
}

function zip<A, B>(a: readonly A[], b: readonly B[]): readonly (readonly [A, B])[] {
  return a.map((item, i) => [item, b[i] as B]); // both have one item a group
}
