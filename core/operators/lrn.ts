import type { Operator, Value } from "./operator.ts";
import { floatTypes, staticSizes, typed } from "./shapes.ts";

/**
 * Local response normalization: X / (bias + alpha / size * the sum of squares of the `size` channels around)^beta, for X [batch, C, ...].
 *
 * Its gradient goes through its lowering.
 * @see https://onnx.ai/onnx/operators/onnx__LRN.html
 * @see A. Krizhevsky et al., ImageNet classification with deep convolutional neural networks (2012), 3.3
 */
export const lrn: Operator = {
  name: "LRN",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {
    size: { kind: "int", required: true },
    alpha: { kind: "float", default: 1e-4 },
    beta: { kind: "float", default: 0.75 },
    bias: { kind: "float", default: 1 },
  },
  infer(context) {
    const x = typed(context, 0, floatTypes);
    if (x.shape.length < 3) context.fail(`needs [batch, channels, ...spatial], not rank ${x.shape.length}`);
    staticSizes(context, x.shape.slice(1, 2), "the channel axis");
    if (context.attributes.int("size") < 1) context.fail(`size must be at least 1, not ${context.attributes.int("size")}`);
    return [x];
  },
  lower({ emit, input, attributes }) {
    const x = input(0);
    const channels = Number(x.shape[1]);
    const { before, after } = channelsAround(attributes.int("size"), channels);
    const squares = emit.op("Pad", [emit.op("Mul", [x, x]), emit.ints([before, after]), undefined, emit.ints([1])]);
    const part = (first: number): Value => emit.op("Slice", [squares, emit.ints([first]), emit.ints([first + channels]), emit.ints([1])]);
    const sum = Array.from({ length: before + after + 1 }, (_, i) => part(i)).reduce((a, b) => emit.op("Add", [a, b]));
    const number = (value: number): Value => emit.scalar(value, x.dtype);
    const scale = emit.op("Add", [
      emit.op("Mul", [sum, number(attributes.float("alpha") / attributes.int("size"))]),
      number(attributes.float("bias")),
    ]);
    return [emit.op("Div", [x, emit.op("Pow", [scale, number(attributes.float("beta"))])])];
  },
};

/** How many channels before and after its own a channel looks at; those outside count 0, so no more than there are. */
export function channelsAround(size: number, channels: number): { readonly before: number; readonly after: number } {
  return { before: Math.min(Math.floor((size - 1) / 2), channels - 1), after: Math.min(Math.ceil((size - 1) / 2), channels - 1) };
}
