import { checkedWindow, tensor, windowCounts, type SlidingWindow } from "../../../core/index.ts";
import { int, ints } from "../onnx-emitter.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";
import { product, tilesFromStart, transposedEnds } from "./window.ts";

/**
 * Average pooling's gradient: AveragePoolGrad(dY) -> dX. Every output's gradient, divided by the number of elements that it averaged,
 * goes to each of them: copied where windows lie side by side, by a transposed depthwise convolution with ones otherwise.
 */
export const averagePoolGrad: Lowering = {
  operator: "AveragePoolGrad",
  lower(context) {
    const { emit, input, attributes } = context;
    const { name, dtype, shape } = input(0);
    const window = checkedWindow(attributes, attributes.ints("kernel_shape"), attributes.ints("input_spatial"));
    const counts = emit.constant(tensor(dtype, [1, 1, ...window.output], shares(window, attributes.int("count_include_pad") === 1)));
    const share = emit.emit("Mul", [name, counts]);
    const ends = transposedEnds(window);
    if (tilesFromStart(window)) return [tile(context, share, { ...window, end: ends.outputPadding })];
    const channels = shape[1] ?? 0;
    const ones = Array.from({ length: channels * product(window.kernel) }, () => 1);
    const spread = emit.emit("ConvTranspose", [share, emit.constant(tensor(dtype, [channels, 1, ...window.kernel], ones))], {
      group: int(channels),
      kernel_shape: ints(window.kernel),
      strides: ints(window.strides),
      dilations: ints(window.dilations),
      pads: ints([...window.begin, ...ends.pads]),
      output_padding: ints(ends.outputPadding),
    });
    return [spread];
  },
};

/** [N, C, h, w] to [N, C, h * kh, w * kw], and zeros for the rest at the end that no window reached. */
function tile({ emit, input }: LoweringContext, share: string, { kernel, output, end }: SlidingWindow): string {
  const [images = 0, channels = 0] = input(0).shape;
  const apart = emit.emit("Reshape", [share, emit.ints([images, channels, ...output.flatMap((size) => [size, 1])])]);
  const copied = emit.emit("Expand", [apart, emit.ints([images, channels, ...output.flatMap((size, i) => [size, kernel[i] ?? 1])])]);
  const joined = emit.emit("Reshape", [copied, emit.ints([images, channels, ...output.map((size, i) => size * (kernel[i] ?? 1))])]);
  if (end.every((size) => size === 0)) return joined;
  return emit.emit("Pad", [joined, emit.ints([0, 0, ...end.map(() => 0), 0, 0, ...end]), emit.scalar(0, input(0).dtype)]);
}

/** 1 / the number of elements averaged, for each output position, row-major. */
function shares(window: SlidingWindow, includePad: boolean): number[] {
  const counts = windowCounts(window, { includePad });
  return counts.reduce<number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]).map((count) => 1 / Math.max(count, 1));
}
