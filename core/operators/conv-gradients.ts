import { formatShape } from "../graph/graph.ts";
import { reshape } from "./gradients.ts";
import { checkChannels } from "./conv.ts";
import type { AttributeSpec, Operator, Value } from "./operator.ts";
import { alike, floatTypes } from "./shapes.ts";
import { checkedWindow, kernelOffsets, windowAttributes, windowOver, windowToAttributes } from "./sliding-window.ts";
import { padForWindow, windowSlice } from "./window-slices.ts";

const shared: Readonly<Record<string, AttributeSpec>> = { ...windowAttributes, group: { kind: "int", default: 1 } };

/** Conv's gradient by its input: dY [batch, M, ...output], W [M, C/group, ...kernel] to dX [batch, C, ...input_spatial]. */
export const convInputGrad: Operator = {
  name: "ConvInputGrad",
  domain: "espalier",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { ...shared, input_spatial: { kind: "ints", required: true } },
  infer(context) {
    alike(context, [0, 1], floatTypes);
    const { dtype, shape: dy } = context.input(0);
    const weight = context.input(1).shape;
    const group = context.attributes.int("group");
    const channels = Number(weight[1]) * group;
    const shape = [dy[0] ?? 1, channels, ...context.attributes.ints("input_spatial")];
    checkChannels(context, { channels, weight, group });
    const window = windowOver(context, weight.slice(2).map(Number), shape);
    const expected = [dy[0] ?? 1, weight[0] ?? 1, ...window.output];
    if (formatShape(dy) !== formatShape(expected)) context.fail(`dY is ${formatShape(dy)}, but Conv gives ${formatShape(expected)}`);
    return [{ dtype, shape }];
  },
  gradient({ emit, input, attributes, gradients: [gradient], needs }) {
    if (gradient === undefined) return [];
    const kernel = input(1).shape.slice(2).map(Number);
    const window = checkedWindow(attributes, kernel, attributes.ints("input_spatial"));
    const options = { ...windowToAttributes(window), group: attributes.int("group") };
    return [
      needs(0) ? emit.op("Conv", [gradient, input(1)], options) : undefined,
      needs(1) ? emit.op("ConvWeightGrad", [gradient, input(0)], { ...options, kernel_shape: kernel }) : undefined,
    ];
  },
  lower({ emit, input, attributes }) {
    const window = checkedWindow(attributes, input(1).shape.slice(2).map(Number), attributes.ints("input_spatial"));
    // What the stride left over at the end has no window: output_padding gives those elements back, as zeros.
    const left = window.input.map((size, i) => {
      const reach = ((window.kernel[i] ?? 1) - 1) * (window.dilations[i] ?? 1) + 1;
      return size + (window.begin[i] ?? 0) + (window.end[i] ?? 0) - reach - ((window.output[i] ?? 1) - 1) * (window.strides[i] ?? 1);
    });
    return [emit.op("ConvTranspose", [input(0), input(1)], { ...windowToAttributes(window), group: attributes.int("group"), output_padding: left })];
  },
};

/** Conv's gradient by its weight: X [batch, C, ...spatial], dY [batch, M, ...output] to dW [M, C/group, ...kernel_shape]. */
export const convWeightGrad: Operator = {
  name: "ConvWeightGrad",
  domain: "espalier",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { ...shared, kernel_shape: { kind: "ints", required: true } },
  infer(context) {
    alike(context, [0, 1], floatTypes);
    const { dtype, shape: x } = context.input(0);
    const dy = context.input(1).shape;
    const kernel = context.attributes.ints("kernel_shape");
    const group = context.attributes.int("group");
    const window = windowOver(context, kernel);
    const [channels, filters] = [Number(x[1]), Number(dy[1])];
    const weight = [filters, channels / group, ...kernel];
    checkChannels(context, { channels, weight, group });
    const expected = [x[0] ?? 1, dy[1] ?? 1, ...window.output];
    if (formatShape(dy) !== formatShape(expected)) context.fail(`dY is ${formatShape(dy)}, but Conv gives ${formatShape(expected)}`);
    return [{ dtype, shape: weight }];
  },
  gradient({ emit, input, attributes, gradients: [gradient], needs }) {
    if (gradient === undefined) return [];
    const spatial = input(0).shape.slice(2).map(Number);
    const options = { ...windowToAttributes(checkedWindow(attributes, attributes.ints("kernel_shape"), spatial)), group: attributes.int("group") };
    return [
      needs(0) ? emit.op("ConvInputGrad", [input(1), gradient], { ...options, input_spatial: spatial }) : undefined,
      needs(1) ? emit.op("Conv", [input(0), gradient], options) : undefined,
    ];
  },
  // One product of matrices for each place of the kernel, summed over the batch: for dense convolutions this was several times
  // faster than a Conv with batch and channels exchanged, and it holds for groups and an unknown batch size too.
  lower({ emit, input, attributes, outputTypes }) {
    const [x, dy] = [input(0), input(1)];
    const group = attributes.int("group");
    const kernel = attributes.ints("kernel_shape");
    const window = checkedWindow(attributes, kernel, x.shape.slice(2));
    const pixels = window.output.reduce((a, b) => a * b, 1);
    const [batch = 1, channels = 1] = x.shape;
    const depth = Number(channels) / group;
    const filters = Number(dy.shape[1]) / group;
    const padded = padForWindow(emit, x, { window, value: 0 });
    const rows = reshape(emit, dy, [batch, group, filters, pixels]);
    const places = kernelOffsets(kernel).map((offset): Value => {
      const columns = reshape(emit, windowSlice(emit, padded, { window, offset }), [batch, group, depth, pixels]);
      const products = emit.op("MatMul", [rows, emit.op("Transpose", [columns], { perm: [0, 1, 3, 2] })]); // [batch, group, filters, depth]
      return reshape(emit, emit.op("ReduceSum", [products, emit.ints([0])], { keepdims: 0 }), [group * filters, depth, 1]);
    });
    return [reshape(emit, emit.op("Concat", places, { axis: 2 }), outputTypes[0]?.shape ?? [])];
  },
};
