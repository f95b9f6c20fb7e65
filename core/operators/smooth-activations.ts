import { unary } from "./elementwise.ts";
import { sumTo } from "./gradients.ts";
import type { Operator, Value } from "./operator.ts";
import { sameShape } from "./operator.ts";
import { alike, broadcast, floatTypes } from "./shapes.ts";

// Their gradients go through their lowerings, where no rule is given.

/** gamma x where x > 0, else gamma alpha (e^x - 1). @see https://onnx.ai/onnx/operators/onnx__Selu.html */
export const selu: Operator = unary("Selu", {
  dtypes: floatTypes,
  attributes: { alpha: { kind: "float", default: 1.67326319217681884765625 }, gamma: { kind: "float", default: 1.05070102214813232421875 } },
  lower: ({ emit, attributes }, x) =>
    emit.op("Mul", [emit.op("Elu", [x], { alpha: attributes.float("alpha") }), emit.scalar(attributes.float("gamma"), x.dtype)]),
});

/** max(0, x) + min(0, alpha (e^(x / alpha) - 1)). @see https://onnx.ai/onnx/operators/onnx__Celu.html */
export const celu: Operator = unary("Celu", {
  dtypes: floatTypes,
  attributes: { alpha: { kind: "float", default: 1 } },
  lower: ({ emit, attributes }, x) => {
    const alpha = emit.scalar(attributes.float("alpha"), x.dtype);
    return emit.op("Mul", [emit.op("Elu", [emit.op("Div", [x, alpha])], { alpha: 1 }), alpha]);
  },
});

/** x tanh(log(1 + e^x)). @see https://onnx.ai/onnx/operators/onnx__Mish.html */
export const mish: Operator = unary("Mish", {
  dtypes: floatTypes,
  lower: ({ emit }, x) => emit.op("Mul", [x, emit.op("Tanh", [emit.op("Softplus", [x])])]),
});

/** x / (1 + |x|). @see https://onnx.ai/onnx/operators/onnx__Softsign.html */
export const softsign: Operator = unary("Softsign", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => {
    const size = emit.op("Add", [emit.op("Abs", [x]), emit.scalar(1, x.dtype)]);
    return emit.op("Div", [dy, emit.op("Mul", [size, size])]);
  },
  lower: ({ emit }, x) => emit.op("Div", [x, emit.op("Add", [emit.op("Abs", [x]), emit.scalar(1, x.dtype)])]),
});

/** x where x >= 0, else slope x; the slope (input 1) broadcasts to x. @see https://onnx.ai/onnx/operators/onnx__PRelu.html */
export const pRelu: Operator = {
  name: "PRelu",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const [x, slope] = alike(context, [0, 1], floatTypes);
    if (!sameShape(broadcast(context, [x?.shape ?? [], slope?.shape ?? []]), x?.shape ?? [])) {
      context.fail("the slope (input 1) must broadcast to the shape of input 0");
    }
    return [context.input(0)];
  },
  gradient({ emit, input, gradients: [dy], needs }) {
    if (dy === undefined) return [];
    const [x, slope] = [input(0), input(1)];
    const negative = emit.op("Less", [x, emit.scalar(0, x.dtype)]);
    const pick = (whereNegative: Value, otherwise: Value): Value => emit.op("Mul", [dy, emit.op("Where", [negative, whereNegative, otherwise])]);
    return [
      needs(0) ? pick(slope, emit.scalar(1, x.dtype)) : undefined,
      needs(1) ? sumTo(emit, pick(x, emit.scalar(0, x.dtype)), slope.shape) : undefined,
    ];
  },
  lower: ({ emit, input }) => [
    emit.op("Where", [emit.op("Less", [input(0), emit.scalar(0, input(0).dtype)]), emit.op("Mul", [input(0), input(1)]), input(0)]),
  ],
};
