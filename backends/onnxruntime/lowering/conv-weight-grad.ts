import { checkedWindow, kernelOffsets, type SlidingWindow } from "../../../core/index.ts";
import { int, ints } from "../onnx-emitter.ts";
import type { Lowering, LoweringContext, Operand } from "./lowering.ts";
import { findUnfolded } from "./unfolded.ts";
import { findWinograd } from "./winograd.ts";
import { product, windowAxes } from "./window.ts";

/** What every way needs. */
interface Problem {
  readonly context: LoweringContext;
  /** [N, C, ...input] */
  readonly input: Operand;
  /** [N, M, ...output] */
  readonly gradient: Operand;
  readonly window: SlidingWindow;
  readonly group: number;
}

/** A convolution's gradient by its weights: ConvWeightGrad(X, dY) -> dW [M, C/group, ...kernel]. */
export const convWeightGrad: Lowering = {
  operator: "ConvWeightGrad",
  lower(context) {
    const { input, attributes } = context;
    const window = checkedWindow(attributes, attributes.ints("kernel_shape"), input(0).shape.slice(2));
    const problem: Problem = { context, input: input(0), gradient: input(1), window, group: attributes.int("group") };
    const shape = { x: input(0).shape, units: input(1).shape[1] ?? 0, group: problem.group, window };
    const ours = input(0).dtype === "float32" ? (findWinograd(context, shape) ?? findUnfolded(context, shape)) : undefined;
    return [ours?.weightGradient(input(0), input(1)) ?? chooseWay(problem)(problem)];
  },
};

/**
 * What our kernels do not take. By what was fastest in one thread, in ms as convolution / batched / joined: [64, 6, 14, 14] to 16 with 5x5 1.5 / 2.0 / 1.9,
 * [32, 3, 64, 64] to 64 with 7x7 5.9 / 25 / 24, [64, 16, 14, 14] to 32 with 3x3 3.2 / 1.5 / 1.6, [32, 64, 32, 32] to 64 41 / 17 / 18,
 * [32, 256, 4, 4] to 256 6.5 / 6.6 / 4.5, and [32, 64, 16, 16] to 128 with 1x1 5.0 / 0.7 / 0.9. With 1x1 [32, 320, 4, 4] to 1280 took 12.3 ms batched,
 * because that writes and adds up a product for each image, and 3.2 joined, which transposes the data instead.
 */
function chooseWay({ input, gradient, window, group }: Problem): (problem: Problem) => string {
  const [channels = 0, units = 0] = [input.shape[1], gradient.shape[1]];
  if (group > 1 || channels < 16) return byConvolution;
  const pixels = product(window.output);
  if (window.kernel.every((size) => size === 1)) return channels * units <= 2 * (channels + units) * pixels ? byBatchedOffsets : byJoinedOffsets;
  return pixels >= 256 ? byBatchedOffsets : byJoinedOffsets;
}

/**
 * As a convolution of the transposed data: images are its channels, dY its kernel, strides and dilations change places.
 * Any rank and any group; slow for wide dense layers, where its kernel is as large as the output.
 */
function byConvolution({ context: { emit }, input, gradient, window, group }: Problem): string {
  const [images = 0, channels = 0] = input.shape;
  const spatial = window.kernel.map((_, i) => i + 2);
  const data = group === 1 ? emit.emit("Transpose", [input.name], { perm: ints([1, 0, ...spatial]) }) : splitGroups();
  const kernel = emit.emit("Transpose", [gradient.name], { perm: ints([1, 0, ...spatial]) }); // [M, N, ...output]
  const result = emit.emit("Conv", [data, kernel], {
    group: int(group),
    kernel_shape: ints(window.output),
    strides: ints(window.dilations),
    dilations: ints(window.strides),
    pads: ints([...window.begin, ...window.end]),
  }); // [C/group, M, ...kernel and what the strides left over]
  const leftOver = windowAxes(window).some(({ input: size, output, kernel: k, stride, dilation, begin, end }) => {
    return Math.floor((size + begin + end - stride * (output - 1) - 1) / dilation) + 1 > k;
  });
  const cut = leftOver ? emit.emit("Slice", [result, emit.ints(spatial.map(() => 0)), emit.ints(window.kernel), emit.ints(spatial)]) : result;
  return emit.emit("Transpose", [cut], { perm: ints([1, 0, ...spatial]) });

  /** [N, group * C/group, ...] to [C/group, group * N, ...] */
  function splitGroups(): string {
    const grouped = emit.emit("Reshape", [input.name, emit.ints([images, group, channels / group, ...window.input])]);
    const swapped = emit.emit("Transpose", [grouped], { perm: ints([2, 1, 0, ...spatial.map((axis) => axis + 1)]) });
    return emit.emit("Reshape", [swapped, emit.ints([channels / group, group * images, ...window.input])]);
  }
}

/** One product for each kernel offset and image, added up over the images: for large outputs. */
function byBatchedOffsets(problem: Problem): string {
  const { emit } = problem.context;
  const [images = 0, channels = 0] = problem.input.shape;
  const pixels = product(problem.window.output);
  const gradient = emit.emit("Reshape", [problem.gradient.name, emit.ints([images, problem.gradient.shape[1] ?? 0, pixels])]);
  return stackOffsets(problem, padded(problem, problem.input.name), (slice) => {
    const columns = emit.emit("Reshape", [slice, emit.ints([images, channels, pixels])]);
    const products = emit.emit("FusedMatMul", [gradient, columns], { transB: int(1) }, { domain: "com.microsoft" }); // [N, M, C]
    return emit.emit("ReduceSum", [products, emit.ints([0])], { keepdims: int(0) });
  });
}

/** One product for each kernel offset over all images at once, after one transposition: for small outputs. */
function byJoinedOffsets(problem: Problem): string {
  const { emit } = problem.context;
  const [images = 0, channels = 0] = problem.input.shape;
  const spatial = problem.window.kernel.map((_, i) => i + 2);
  const length = images * product(problem.window.output);
  const swapped = emit.emit("Transpose", [problem.gradient.name], { perm: ints([1, 0, ...spatial]) });
  const gradient = emit.emit("Reshape", [swapped, emit.ints([problem.gradient.shape[1] ?? 0, length])]);
  const data = emit.emit("Transpose", [problem.input.name], { perm: ints([1, 0, ...spatial]) }); // [C, N, ...input]
  return stackOffsets(problem, padded(problem, data), (slice) => {
    const columns = emit.emit("Reshape", [slice, emit.ints([channels, length])]);
    return emit.emit("Gemm", [gradient, columns], { transB: int(1) });
  });
}

/** `multiply` gives [M, C] for the input's elements under one kernel offset; the offsets make the last axes. */
function stackOffsets({ context: { emit }, input, gradient, window }: Problem, data: string, multiply: (slice: string) => string): string {
  const channels = input.shape[1] ?? 0;
  const units = gradient.shape[1] ?? 0;
  const axes = emit.ints(window.kernel.map((_, i) => i + 2));
  const steps = emit.ints(window.strides);
  const flat = emit.ints([units, channels, 1]);
  const parts = kernelOffsets(window.kernel).map((offset) => {
    const starts = windowAxes(window).map(({ dilation }, i) => (offset[i] ?? 0) * dilation);
    const ends = windowAxes(window).map(({ output, stride }, i) => (starts[i] ?? 0) + (output - 1) * stride + 1);
    const isWhole = windowAxes(window).every(
      ({ input: size, begin, end, stride }, i) => stride === 1 && ends[i] === begin + size + end && starts[i] === 0,
    );
    const slice = isWhole ? data : emit.emit("Slice", [data, emit.ints(starts), emit.ints(ends), axes, steps]);
    return emit.emit("Reshape", [multiply(slice), flat]);
  });
  const [only = "", ...others] = parts;
  const joined = others.length === 0 ? only : emit.emit("Concat", parts, { axis: int(2) });
  return emit.emit("Reshape", [joined, emit.ints([units, channels, ...window.kernel])]);
}

function padded({ context: { emit }, input, window }: Problem, data: string): string {
  if ([...window.begin, ...window.end].every((size) => size === 0)) return data;
  return emit.emit("Pad", [data, emit.ints([0, 0, ...window.begin, 0, 0, ...window.end]), emit.scalar(0, input.dtype)]);
}
