import { unary } from "./elementwise.ts";
import type { Operator, Value } from "./operator.ts";
import { axisOf, floatTypes, typed } from "./shapes.ts";
import { oneHotAlong } from "./one-hot.ts";

// Activations of straight pieces. Their gradients go through their lowerings.

/** max(0, min(1, alpha x + beta)). @see https://onnx.ai/onnx/operators/onnx__HardSigmoid.html */
export const hardSigmoid: Operator = unary("HardSigmoid", {
  dtypes: floatTypes,
  attributes: { alpha: { kind: "float", default: 0.2 }, beta: { kind: "float", default: 0.5 } },
  lower: ({ emit, attributes }, x) => {
    const number = (value: number): Value => emit.scalar(value, x.dtype);
    const line = emit.op("Add", [emit.op("Mul", [x, number(attributes.float("alpha"))]), number(attributes.float("beta"))]);
    return emit.op("Clip", [line, number(0), number(1)]);
  },
});

/** x max(0, min(1, x / 6 + 1/2)). @see https://onnx.ai/onnx/operators/onnx__HardSwish.html */
export const hardSwish: Operator = unary("HardSwish", {
  dtypes: floatTypes,
  lower: ({ emit }, x) => emit.op("Mul", [x, emit.op("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 })]),
});

/** x where x > alpha, else 0. @see https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html */
export const thresholdedRelu: Operator = unary("ThresholdedRelu", {
  dtypes: floatTypes,
  attributes: { alpha: { kind: "float", default: 1 } },
  lower: ({ emit, attributes }, x) => {
    const above = emit.op("Greater", [x, emit.scalar(attributes.float("alpha"), x.dtype)]);
    return emit.op("Where", [above, x, emit.scalar(0, x.dtype)]);
  },
});

/** x + bias below -lambd, x - bias above lambd, 0 between. @see https://onnx.ai/onnx/operators/onnx__Shrink.html */
export const shrink: Operator = unary("Shrink", {
  dtypes: floatTypes,
  attributes: { bias: { kind: "float", default: 0 }, lambd: { kind: "float", default: 0.5 } },
  lower: ({ emit, attributes }, x) => {
    const number = (value: number): Value => emit.scalar(value, x.dtype);
    const [bias, edge] = [number(attributes.float("bias")), attributes.float("lambd")];
    const above = emit.op("Where", [emit.op("Greater", [x, number(edge)]), emit.op("Sub", [x, bias]), number(0)]);
    return emit.op("Where", [emit.op("Less", [x, number(-edge)]), emit.op("Add", [x, bias]), above]);
  },
});

/** 1 at the first of the largest along `axis`, 0 elsewhere; its gradient is 0. @see https://onnx.ai/onnx/operators/onnx__Hardmax.html */
export const hardmax: Operator = {
  name: "Hardmax",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: -1 } },
  infer(context) {
    const x = typed(context, 0, floatTypes);
    axisOf(context, context.attributes.int("axis"), x.shape.length);
    return [x];
  },
  gradient: () => [],
  lower({ emit, input, attributes }) {
    const x = input(0);
    const axis = attributes.int("axis") < 0 ? attributes.int("axis") + x.shape.length : attributes.int("axis");
    const place = emit.op("ArgMax", [x], { axis, keepdims: 1 });
    const chosen = oneHotAlong(emit, place, { axis, depth: Number(x.shape[axis]) });
    return [emit.op("Where", [chosen, emit.scalar(1, x.dtype), emit.scalar(0, x.dtype)])];
  },
};
