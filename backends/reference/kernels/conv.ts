import { elementCount, slidingWindow, transposedWindow } from "../../../core/index.ts";
import { memoryFor, numbersOf, required, tensorOf, type KernelContext, type KernelFactory, type Numbers, type NumericTensor } from "../kernel.ts";
import { windowsOf, type Windows } from "../windows.ts";

/**
 * Convolutions and their gradients over any number of spatial axes: four sums over the same table of windows.
 * Sums are in double precision and rounded once.
 */
export const convKernels: Readonly<Record<string, KernelFactory>> = {
  /** X [n, c, ...], W [m, c/group, ...], B [m]. @see https://onnx.ai/onnx/operators/onnx__Conv.html */
  Conv: (context) => {
    const [x, w] = staticShapes(context, [0, 1]);
    const window = slidingWindow(context.attributes, { kernel: w.slice(2), input: x.slice(2), fail: context.fail });
    const layout = layoutOf(windowsOf({ ...window, begins: window.begin }), {
      inputs: x[1]!,
      outputs: w[0]!,
      group: context.attributes.int("group"),
    });
    return (inputs) => {
      const [input, weight, bias] = [required(inputs, 0), required(inputs, 1), inputs[2]];
      const batch = input.shape[0]!;
      const out = memoryFor(input.dtype, batch * layout.outputs * layout.windows.positions);
      correlate(layout, { x: numbersOf(input), w: numbersOf(weight), bias: bias && numbersOf(bias), out, batch });
      return [tensorOf(input.dtype, [batch, w[0]!, ...window.output], out)];
    };
  },

  /** dY [n, m, ...], W [m, c/group, ...] to dX [n, c, ...input_spatial]. */
  ConvInputGrad: (context) => {
    const [, w] = staticShapes(context, [0, 1]);
    const group = context.attributes.int("group");
    const window = slidingWindow(context.attributes, { kernel: w.slice(2), input: context.attributes.ints("input_spatial"), fail: context.fail });
    const layout = layoutOf(windowsOf({ ...window, begins: window.begin }), { inputs: w[1]! * group, outputs: w[0]!, group });
    return (inputs) => [spreadBack(layout, { dY: required(inputs, 0), w: required(inputs, 1), spatial: window.input })];
  },

  /** X [n, c, ...], dY [n, m, ...] to dW [m, c/group, ...kernel_shape]. */
  ConvWeightGrad: (context) => {
    const [x, dY] = staticShapes(context, [0, 1]);
    const group = context.attributes.int("group");
    const kernel = context.attributes.ints("kernel_shape");
    const window = slidingWindow(context.attributes, { kernel, input: x.slice(2), fail: context.fail });
    const layout = layoutOf(windowsOf({ ...window, begins: window.begin }), { inputs: x[1]!, outputs: dY[1]!, group });
    return (inputs) => {
      const [input, gradient] = [required(inputs, 0), required(inputs, 1)];
      const sums = new Float64Array(layout.outputs * layout.depth * layout.windows.taps);
      meetWeights(layout, { x: numbersOf(input), dY: numbersOf(gradient), sums, batch: input.shape[0]! });
      return [tensorOf(input.dtype, [layout.outputs, layout.depth, ...kernel], sums)];
    };
  },

  /** The transpose of a convolution whose input is this one's output. @see https://onnx.ai/onnx/operators/onnx__ConvTranspose.html */
  ConvTranspose: (context) => {
    const [x, w] = staticShapes(context, [0, 1]);
    const group = context.attributes.int("group");
    const window = transposedWindow(context.attributes, { kernel: w.slice(2), input: x.slice(2), fail: context.fail });
    const windows = windowsOf({ ...window, input: window.output, kernel: w.slice(2), output: x.slice(2), begins: window.begin });
    const layout = layoutOf(windows, { inputs: w[1]! * group, outputs: x[1]!, group });
    return (inputs) => {
      const bias = inputs[2] && numbersOf(inputs[2]);
      return [spreadBack(layout, { dY: required(inputs, 0), w: required(inputs, 1), spatial: window.output, bias })];
    };
  },
};

/** A convolution's sizes, named as its forward pass sees them. */
interface Layout {
  readonly windows: Windows;
  /** Channels that are read and channels that are written. */
  readonly inputs: number;
  readonly outputs: number;
  /** Input channels and output channels of one group. */
  readonly depth: number;
  readonly width: number;
}

function layoutOf(
  windows: Windows,
  { inputs, outputs, group }: { readonly inputs: number; readonly outputs: number; readonly group: number },
): Layout {
  return { windows, inputs, outputs, depth: inputs / group, width: outputs / group };
}

/** The shapes of inputs with the batch, which no geometry depends on, as 0. */
function staticShapes({ inputTypes }: KernelContext, indices: readonly number[]): [number[], number[]] {
  return indices.map((index) => (inputTypes[index]?.shape ?? []).map((size) => (size === "batch" ? 0 : size))) as [number[], number[]]; // two are asked for
}

interface Forward {
  readonly x: Numbers;
  readonly w: Numbers;
  readonly bias: Numbers | undefined;
  readonly out: Numbers;
  readonly batch: number;
}

function correlate({ windows, inputs, outputs, depth, width }: Layout, { x, w, bias, out, batch }: Forward): void {
  const { taps, positions, source } = windows;
  const sums = new Float64Array(positions);
  for (let image = 0; image < batch; image += 1) {
    for (let m = 0; m < outputs; m += 1) {
      sums.fill(bias?.[m] ?? 0);
      const first = Math.floor(m / width) * depth;
      for (let c = 0; c < depth; c += 1) {
        const plane = (image * inputs + first + c) * windows.inputs;
        for (let tap = 0; tap < taps; tap += 1) {
          const weight = w[(m * depth + c) * taps + tap]!;
          for (let p = 0; p < positions; p += 1) {
            const at = source[tap * positions + p]!;
            if (at >= 0) sums[p] = sums[p]! + weight * x[plane + at]!;
          }
        }
      }
      out.set(sums, (image * outputs + m) * positions);
    }
  }
}

interface Backward {
  readonly dY: NumericTensor;
  readonly w: NumericTensor;
  readonly spatial: readonly number[];
  readonly bias?: Numbers | undefined;
}

function spreadBack({ windows, inputs, outputs, depth, width }: Layout, { dY, w, spatial, bias }: Backward): NumericTensor {
  const { taps, positions, source } = windows;
  const batch = dY.shape[0]!;
  const size = elementCount(spatial);
  const [gradients, weights] = [numbersOf(dY), numbersOf(w)];
  const out = memoryFor(dY.dtype, batch * inputs * size);
  const sums = new Float64Array(size);
  for (let image = 0; image < batch; image += 1) {
    for (let channel = 0; channel < inputs; channel += 1) {
      sums.fill(bias?.[channel] ?? 0);
      const group = Math.floor(channel / depth);
      for (let m = group * width; m < (group + 1) * width; m += 1) {
        const plane = (image * outputs + m) * positions;
        for (let tap = 0; tap < taps; tap += 1) {
          const weight = weights[(m * depth + (channel % depth)) * taps + tap]!;
          for (let p = 0; p < positions; p += 1) {
            const at = source[tap * positions + p]!;
            if (at >= 0) sums[at] = sums[at]! + weight * gradients[plane + p]!;
          }
        }
      }
      out.set(sums, (image * inputs + channel) * size);
    }
  }
  return tensorOf(dY.dtype, [batch, inputs, ...spatial], out);
}

interface WeightSums {
  readonly x: Numbers;
  readonly dY: Numbers;
  readonly sums: Float64Array;
  readonly batch: number;
}

function meetWeights({ windows, inputs, outputs, depth, width }: Layout, { x, dY, sums, batch }: WeightSums): void {
  const { taps, positions, source } = windows;
  for (let image = 0; image < batch; image += 1) {
    for (let m = 0; m < outputs; m += 1) {
      const gradients = (image * outputs + m) * positions;
      const first = Math.floor(m / width) * depth;
      for (let c = 0; c < depth; c += 1) {
        const plane = (image * inputs + first + c) * windows.inputs;
        for (let tap = 0; tap < taps; tap += 1) {
          let sum = 0;
          for (let p = 0; p < positions; p += 1) {
            const at = source[tap * positions + p]!;
            if (at >= 0) sum += dY[gradients + p]! * x[plane + at]!;
          }
          const target = (m * depth + c) * taps + tap;
          sums[target] = sums[target]! + sum;
        }
      }
    }
  }
}
