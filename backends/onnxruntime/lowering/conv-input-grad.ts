import { checkedWindow, type SlidingWindow } from "../../../core/index.ts";
import { int, ints } from "../onnx-emitter.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";
import { findUnfolded } from "./unfolded.ts";
import { findWinograd } from "./winograd.ts";
import { transposedEnds, windowAxes } from "./window.ts";

/**
 * Input channels from which the flipped convolution is the faster one: it multiplies by a matrix with one row a channel.
 * [64, 1..16, 8..28] took it 1.3 to 3.6 times as long as ConvTranspose, [32, 32..256, 4..32] 0.7 to 0.9 times. With 1x1, where it is a product
 * and nothing else, it is the faster one always: 2.9 ms where ConvTranspose took 6.2 from [32, 144, 32, 32] to 24.
 */
const fewestFlipped = 32;

/**
 * Input channels from which a strided convolution is faster unfolded: in ms of processor time where ConvTranspose took the second,
 * [32, 64, 32, 32] to 128 15 / 14, [32, 128, 16, 16] to 256 12.2 / 12.5, [32, 256, 8, 8] to 512 11 / 20.
 */
const fewestUnfolded = 128;

/**
 * A convolution's gradient by its input: ConvInputGrad(dY, W) -> dX.
 *
 * 3x3 by our kernels where they are faster. Else, for stride 1 and many channels or 1x1, the convolution of dY with the kernel flipped and its
 * channels swapped; otherwise ConvTranspose.
 */
export const convInputGrad: Lowering = {
  operator: "ConvInputGrad",
  lower(context) {
    const { input, attributes } = context;
    const window = checkedWindow(attributes, input(1).shape.slice(2), attributes.ints("input_spatial"));
    const channels = (input(1).shape[1] ?? 0) * attributes.int("group");
    const shape = { x: context.outputs[0]?.shape ?? [], units: input(1).shape[0] ?? 0, group: attributes.int("group"), window };
    const ours =
      input(0).dtype === "float32"
        ? (findWinograd(context, shape) ?? (channels >= fewestUnfolded ? findUnfolded(context, shape) : undefined))
        : undefined;
    if (ours !== undefined) return [ours.inputGradient(input(0), input(1))];
    const flippable = window.strides.every((stride) => stride === 1) && flippedPads(window).every((pad) => pad >= 0);
    const isProduct = window.kernel.every((size) => size === 1);
    return [flippable && (isProduct || channels >= fewestFlipped) ? flippedConvolution(context, window) : transposedConvolution(context, window)];
  },
};

function flippedConvolution(context: LoweringContext, window: SlidingWindow): string {
  return context.emit.emit("Conv", [context.input(0).name, swapChannels(context, flip(context, window))], {
    group: int(context.attributes.int("group")),
    kernel_shape: ints(window.kernel),
    dilations: ints(window.dilations),
    pads: ints(flippedPads(window)),
  });
}

/** The pads that make the flipped convolution's output as large as the input was. */
function flippedPads(window: SlidingWindow): readonly number[] {
  const axes = windowAxes(window).map(({ kernel, dilation, begin, end }) => ({ reach: (kernel - 1) * dilation, begin, end }));
  return [...axes.map(({ reach, begin }) => reach - begin), ...axes.map(({ reach, end }) => reach - end)];
}

function flip({ emit, input }: LoweringContext, { kernel }: SlidingWindow): string {
  if (kernel.every((size) => size === 1)) return input(1).name;
  const axes = kernel.map((_, i) => i + 2);
  const backwards = emit.ints(axes.map(() => -1));
  return emit.emit("Slice", [input(1).name, backwards, emit.ints(axes.map(() => -(2 ** 31))), emit.ints(axes), backwards]);
}

/** A kernel [M, C/group, ...] as [C, M/group, ...]. */
function swapChannels({ emit, input, attributes }: LoweringContext, kernel: string): string {
  const group = attributes.int("group");
  const [units = 0, perGroup = 0, ...sizes] = input(1).shape;
  const spatial = sizes.map((_, i) => i + 2);
  if (group === 1) return emit.emit("Transpose", [kernel], { perm: ints([1, 0, ...spatial]) });
  if (perGroup === 1 && units === group) return kernel; // depthwise: [C, 1, ...] either way
  const grouped = emit.emit("Reshape", [kernel, emit.ints([group, units / group, perGroup, ...sizes])]);
  const swapped = emit.emit("Transpose", [grouped], { perm: ints([0, 2, 1, ...spatial.map((axis) => axis + 1)]) });
  return emit.emit("Reshape", [swapped, emit.ints([group * perGroup, units / group, ...sizes])]);
}

function transposedConvolution({ emit, input, attributes }: LoweringContext, window: SlidingWindow): string {
  const ends = transposedEnds(window);
  return emit.emit("ConvTranspose", [input(0).name, input(1).name], {
    group: int(attributes.int("group")),
    kernel_shape: ints(window.kernel),
    strides: ints(window.strides),
    dilations: ints(window.dilations),
    pads: ints([...window.begin, ...ends.pads]),
    output_padding: ints(ends.outputPadding),
  });
}
