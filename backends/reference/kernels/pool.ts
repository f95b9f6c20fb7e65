import { elementCount, slidingWindow, type SlidingWindow } from "../../../core/index.ts";
import { memoryFor, numbersOf, required, tensorOf, type KernelContext, type KernelFactory, type Numbers, type NumericTensor } from "../kernel.ts";
import { windowsOf, type Windows } from "../windows.ts";

/** Pools over any number of spatial axes, and their gradients. X is [n, c, ...spatial]. */
export const poolKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__MaxPool.html */
  MaxPool: (context) => {
    const { window, windows } = pooling(context, spatialOf(context));
    return (inputs) => {
      const x = required(inputs, 0);
      const source = numbersOf(x);
      const places = largestPlaces(x, windows);
      const out = memoryFor(x.dtype, places.length);
      for (let i = 0; i < places.length; i += 1) out[i] = places[i]! < 0 ? -Infinity : source[places[i]!]!;
      return [tensorOf(x.dtype, [...x.shape.slice(0, 2), ...window.output], out)];
    };
  },

  /** X, Y, dY to dX: the first largest element of each window, in row-major order, takes all of its gradient. */
  MaxPoolGrad: (context) => {
    const { windows } = pooling(context, spatialOf(context));
    return (inputs) => {
      const [x, dY] = [required(inputs, 0), required(inputs, 2)];
      const gradients = numbersOf(dY);
      const places = largestPlaces(x, windows);
      const sums = new Float64Array(x.data.length);
      for (let i = 0; i < places.length; i += 1) if (places[i]! >= 0) sums[places[i]!] = sums[places[i]!]! + gradients[i]!;
      return [tensorOf(x.dtype, x.shape, sums)];
    };
  },

  /** @see https://onnx.ai/onnx/operators/onnx__AveragePool.html */
  AveragePool: (context) => {
    const { window, windows } = pooling(context, spatialOf(context));
    const counts = countsOf(window, context.attributes.int("count_include_pad") === 1);
    return (inputs) => {
      const x = required(inputs, 0);
      const out = memoryFor(x.dtype, planesOf(x) * windows.positions);
      average(x, windows, { counts, out });
      return [tensorOf(x.dtype, [...x.shape.slice(0, 2), ...window.output], out)];
    };
  },

  /** dY to dX [n, c, ...input_spatial]: each element of a window takes an even share. */
  AveragePoolGrad: (context) => {
    const spatial = context.attributes.ints("input_spatial");
    const { window, windows } = pooling(context, spatial);
    const counts = countsOf(window, context.attributes.int("count_include_pad") === 1);
    return (inputs) => {
      const dY = required(inputs, 0);
      const gradients = numbersOf(dY);
      const sums = new Float64Array(planesOf(dY) * windows.inputs);
      for (let plane = 0; plane < planesOf(dY); plane += 1) {
        for (let i = 0; i < windows.source.length; i += 1) {
          const at = windows.source[i]!;
          const p = i % windows.positions;
          if (at >= 0)
            sums[plane * windows.inputs + at] = sums[plane * windows.inputs + at]! + gradients[plane * windows.positions + p]! / counts[p]!;
        }
      }
      return [tensorOf(dY.dtype, [...dY.shape.slice(0, 2), ...spatial], sums)];
    };
  },

  /** @see https://onnx.ai/onnx/operators/onnx__LpPool.html */
  LpPool: (context) => {
    const { window, windows } = pooling(context, spatialOf(context));
    const { taps, positions, source } = windows;
    const p = context.attributes.int("p");
    return (inputs) => {
      const x = required(inputs, 0);
      const elements = numbersOf(x);
      const out = memoryFor(x.dtype, planesOf(x) * positions);
      for (let i = 0; i < out.length; i += 1) {
        const start = Math.floor(i / positions) * windows.inputs;
        let sum = 0;
        for (let tap = 0; tap < taps; tap += 1) {
          const at = source[tap * positions + (i % positions)]!;
          if (at >= 0) sum += Math.abs(elements[start + at]!) ** p;
        }
        out[i] = sum ** (1 / p);
      }
      return [tensorOf(x.dtype, [...x.shape.slice(0, 2), ...window.output], out)];
    };
  },

  /** @see https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html */
  GlobalAveragePool: overPlanes(() => (plane) => plane.reduce((sum, value) => sum + value, 0) / plane.length),

  /** @see https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html */
  GlobalMaxPool: overPlanes(() => (plane) => plane.reduce((largest, value) => Math.max(largest, value), -Infinity)),

  /** @see https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html */
  GlobalLpPool: overPlanes(({ attributes }) => {
    const p = attributes.int("p");
    return (plane) => plane.reduce((sum, value) => sum + Math.abs(value) ** p, 0) ** (1 / p);
  }),
};

/** One number of each channel of each row. */
function overPlanes(create: (context: KernelContext) => (plane: Float64Array) => number): KernelFactory {
  return (context) => {
    const reduce = create(context);
    return (inputs) => {
      const x = required(inputs, 0);
      const source = Float64Array.from(numbersOf(x));
      const out = memoryFor(x.dtype, planesOf(x));
      const size = elementCount(x.shape.slice(2));
      for (let plane = 0; plane < out.length; plane += 1) out[plane] = reduce(source.subarray(plane * size, (plane + 1) * size));
      const shape = x.shape.map((length, axis) => (axis < 2 ? length : 1));
      return [tensorOf(x.dtype, shape, out)];
    };
  };
}

function pooling({ attributes, fail }: KernelContext, spatial: readonly number[]): { readonly window: SlidingWindow; readonly windows: Windows } {
  const window = slidingWindow(attributes, { kernel: attributes.ints("kernel_shape"), input: spatial, fail });
  return { window, windows: windowsOf({ ...window, begins: window.begin }) };
}

function spatialOf({ inputTypes }: KernelContext): readonly number[] {
  return (inputTypes[0]?.shape ?? []).slice(2).map(Number); // only the first axis is symbolic
}

/** Images times channels. */
function planesOf(x: NumericTensor): number {
  return elementCount(x.shape.slice(0, 2));
}

/** The position in x of each window's first largest element; -1 for a window that lies in the padding. NaN counts as largest. */
function largestPlaces(x: NumericTensor, { taps, positions, inputs, source }: Windows): Int32Array {
  const elements = numbersOf(x);
  const places = new Int32Array(planesOf(x) * positions);
  for (let i = 0; i < places.length; i += 1) {
    const start = Math.floor(i / positions) * inputs;
    let best = -1;
    let largest = -Infinity;
    for (let tap = 0; tap < taps; tap += 1) {
      const at = source[tap * positions + (i % positions)]!;
      if (at < 0) continue;
      const value = elements[start + at]!;
      if (best < 0 || value > largest || (Number.isNaN(value) && !Number.isNaN(largest))) {
        best = start + at;
        largest = value;
      }
    }
    places[i] = best;
  }
  return places;
}

/** How many elements each window averages over: those inside the input, or inside input and pads; a window of none counts as 1. */
function countsOf({ input, output, kernel, strides, dilations, begin, end }: SlidingWindow, includePads: boolean): Float64Array {
  const padded = input.map((size, axis) => size + begin[axis]! + end[axis]!);
  const { positions, source } = includePads
    ? windowsOf({ input: padded, kernel, output, strides, dilations, begins: input.map(() => 0) })
    : windowsOf({ input, kernel, output, strides, dilations, begins: begin });
  const counts = new Float64Array(positions);
  for (let i = 0; i < source.length; i += 1) if (source[i]! >= 0) counts[i % positions] = counts[i % positions]! + 1;
  return counts.map((count) => Math.max(count, 1));
}

function average(
  x: NumericTensor,
  { taps, positions, inputs, source }: Windows,
  { counts, out }: { readonly counts: Float64Array; readonly out: Numbers },
): void {
  const elements = numbersOf(x);
  for (let i = 0; i < out.length; i += 1) {
    const start = Math.floor(i / positions) * inputs;
    const p = i % positions;
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const at = source[tap * positions + p]!;
      if (at >= 0) sum += elements[start + at]!;
    }
    out[i] = sum / counts[p]!;
  }
}
