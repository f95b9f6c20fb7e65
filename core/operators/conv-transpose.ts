import { formatShape, type Attribute } from "../graph/graph.ts";
import { biasGradient, kernelOf, plusBias } from "./conv.ts";
import { reshape } from "./gradients.ts";
import type { Attributes, Operator } from "./operator.ts";
import { alike, floatTypes, staticSizes } from "./shapes.ts";
import { kernelOffsets, windowAttributes } from "./sliding-window.ts";
import { windowSpread } from "./window-slices.ts";

/** The geometry of a ConvTranspose node, per spatial axis. */
export interface TransposedWindow {
  readonly output: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/**
 * The convolution's gradient as a layer: X [batch, C, ...spatial] with W [C, M/group, ...kernel], plus B [M].
 *
 * @see https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
 */
export const convTranspose: Operator = {
  name: "ConvTranspose",
  domain: "",
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: {
    ...windowAttributes,
    group: { kind: "int", default: 1 },
    kernel_shape: { kind: "ints" },
    output_padding: { kind: "ints" },
    output_shape: { kind: "ints" },
  },
  infer(context) {
    alike(context, context.inputs[2] ? [0, 1, 2] : [0, 1], floatTypes);
    const { dtype, shape } = context.input(0);
    const weight = context.input(1).shape;
    const group = context.attributes.int("group");
    if (group < 1) context.fail(`group must be at least 1, not ${group}`);
    const [channels, filters = 1] = staticSizes(context, weight.slice(0, 2), "a channel axis of the weight");
    if (shape.length < 3) context.fail(`needs [batch, channels, ...spatial], not rank ${shape.length}`);
    if (shape[1] !== channels || Number(channels) % group !== 0) {
      context.fail(`${shape[1]} channels do not go with a weight of ${formatShape(weight)} in ${group} group(s)`);
    }
    if (context.inputs[2] && formatShape(context.inputs[2].shape) !== formatShape([filters * group])) {
      context.fail(`the bias must be ${formatShape([filters * group])}, not ${formatShape(context.inputs[2].shape)}`);
    }
    const input = staticSizes(context, shape.slice(2), "a spatial axis");
    const { output } = transposedWindow(context.attributes, { kernel: kernelOf(context, weight), input, fail: (message) => context.fail(message) });
    return [{ dtype, shape: [shape[0] ?? 1, filters * group, ...output] }];
  },
  // Y is X through the transpose of a convolution: its gradients are that convolution's own forward pass and weight gradient.
  gradient({ emit, input, attributes, gradients: [dy], needs, refuse }) {
    if (dy === undefined) return [];
    const kernel = input(1).shape.slice(2).map(Number);
    const window = transposedWindow(attributes, { kernel, input: input(0).shape.slice(2).map(Number), fail: refuse });
    const { strides, dilations, begin, end } = window;
    const options = { strides, dilations, pads: [...begin, ...end], group: attributes.int("group") };
    return [
      needs(0) ? emit.op("Conv", [dy, input(1)], options) : undefined,
      needs(1) ? emit.op("ConvWeightGrad", [dy, input(0)], { ...options, kernel_shape: kernel }) : undefined,
      needs(2) ? biasGradient({ emit }, dy) : undefined,
    ];
  },
  // With its pads written out, where they were to be found; then one product of matrices a group gives what every element adds at every place of the
  // kernel, and each place is spread and added up.
  lower({ emit, input, inputs, attributes, outputTypes }) {
    const [x, w] = [input(0), input(1)];
    if (attributes.has("output_shape") || attributes.string("auto_pad") !== "NOTSET")
      return [
        emit.op(
          "ConvTranspose",
          inputs,
          explicitTransposed(attributes, { kernel: w.shape.slice(2).map(Number), input: x.shape.slice(2).map(Number) }),
        ),
      ];
    const [channels = 1, width = 1, ...kernel] = w.shape.map(Number);
    const group = attributes.int("group");
    const [batch = 1, , ...spatial] = x.shape;
    const size = spatial.map(Number);
    const geometry = transposedWindow(attributes, { kernel, input: size, fail: unchecked });
    const window = { ...geometry, kernel, input: geometry.output, output: size };
    const places = kernelOffsets(kernel);
    const pixels = size.reduce((a, b) => a * b, 1);
    const weights = emit.op("Transpose", [reshape(emit, w, [group, channels / group, width * places.length])], { perm: [0, 2, 1] });
    const products = emit.op("MatMul", [weights, reshape(emit, x, [batch, group, channels / group, pixels])]);
    const byPlace = reshape(emit, products, [batch, group * width, places.length, pixels]);
    const parts = places.map((offset, i) => {
      const part = emit.op("Slice", [byPlace, emit.ints([i]), emit.ints([i + 1]), emit.ints([2])]);
      return windowSpread(emit, reshape(emit, part, [batch, group * width, ...size]), { window, offset });
    });
    const sum = reshape(
      emit,
      parts.reduce((a, b) => emit.op("Add", [a, b])),
      outputTypes[0]?.shape ?? [],
    );
    return [plusBias(emit, sum, inputs[2])];
  },
};

/** A node's attributes with pads and output_padding that give the same, in place of output_shape and auto_pad. */
function explicitTransposed(
  attributes: Attributes,
  { kernel, input }: { readonly kernel: readonly number[]; readonly input: readonly number[] },
): Record<string, Attribute> {
  const { output, strides, dilations, begin, end } = transposedWindow(attributes, { kernel, input, fail: unchecked });
  const reached = input.map(
    (size, i) => (size - 1) * (strides[i] ?? 1) + ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1 - (begin[i] ?? 0) - (end[i] ?? 0),
  );
  const padding = output.map((size, i) => size - (reached[i] ?? 0));
  return { strides, dilations, pads: [...begin, ...end], output_padding: padding, group: attributes.int("group") };
}

function unchecked(message: string): never {
  throw new RangeError(message); // the node's shapes were checked when it was added
}

/**
 * Works out a ConvTranspose node's geometry: output = stride (input - 1) + output_padding + reach - pads, or pads from `output_shape`.
 *
 * @see https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
 */
export function transposedWindow(
  attributes: Attributes,
  { kernel, input, fail }: { kernel: readonly number[]; input: readonly number[]; fail: (message: string) => never },
): TransposedWindow {
  const rank = input.length;
  const list = (name: string, length: number, standard: number): readonly number[] => {
    const values = attributes.has(name) ? attributes.ints(name) : Array.from({ length }, () => standard);
    if (values.length !== length) fail(`${name} [${values.join(", ")}] must have ${length} entries for ${rank} spatial axes`);
    return values.some((value) => value < (standard === 1 ? 1 : 0)) ? fail(`${name} [${values.join(", ")}] must be at least ${standard}`) : values;
  };
  const [strides, dilations] = [list("strides", rank, 1), list("dilations", rank, 1)];
  const [given, extra] = [list("pads", 2 * rank, 0), list("output_padding", rank, 0)];
  if (extra.some((size, i) => size >= (strides[i] ?? 1)))
    fail(`output_padding [${extra.join(", ")}] must be smaller than strides [${strides.join(", ")}]`);
  const autoPad = attributes.string("auto_pad");
  if (!["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(autoPad))
    fail(`auto_pad "${autoPad}" is not NOTSET, VALID, SAME_UPPER or SAME_LOWER`);
  const wanted = attributes.has("output_shape") ? list("output_shape", rank, 1) : undefined;
  const axes = input.map((size, i) => {
    const stride = strides[i] ?? 1;
    const full = (size - 1) * stride + (extra[i] ?? 0) + ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    const same = autoPad.startsWith("SAME");
    const target = wanted?.[i] ?? (same ? size * stride : undefined);
    if (target === undefined) {
      const [begin, end] = autoPad === "VALID" ? [0, 0] : [given[i] ?? 0, given[i + rank] ?? 0];
      return { output: full - begin - end, begin, end };
    }
    const total = full - target;
    // Beyond what the kernel reaches, elements are the bias alone: an output_padding, which must not make room for another window.
    if (total < 0 && (extra[i] ?? 0) - total < stride) return { output: target, begin: 0, end: 0 };
    if (total < 0)
      fail(`spatial axis ${i} cannot have size ${target}: without pads it has ${full}, and at most ${stride - 1 - (extra[i] ?? 0)} more`);
    const small = Math.floor(total / 2);
    return autoPad === "SAME_UPPER" ? { output: target, begin: small, end: total - small } : { output: target, begin: total - small, end: small };
  });
  axes.forEach(({ output }, i) => {
    if (output < 1) fail(`pads leave nothing of spatial axis ${i}: its size would be ${output}`);
  });
  return { strides, dilations, output: axes.map(({ output }) => output), begin: axes.map(({ begin }) => begin), end: axes.map(({ end }) => end) };
}
