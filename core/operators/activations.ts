import { unary } from "./elementwise.ts";
import { asNumber } from "./gradients.ts";
import type { Emitter, LowerContext, Operator, Value } from "./operator.ts";
import { floatTypes } from "./shapes.ts";

/** max(x, 0); the gradient at 0 is 0. @see https://onnx.ai/onnx/operators/onnx__Relu.html */
export const relu: Operator = unary("Relu", {
  dtypes: floatTypes,
  // A cast of the comparison was faster than Sign or Where on ONNX Runtime (facts on training steps).
  gradient: ({ emit }, _x, y, dy) => emit.op("Mul", [dy, asNumber(emit, isPositive(emit, y), y)]),
  lower: ({ emit }, x) => emit.op("Max", [x, emit.scalar(0, x.dtype)]),
});

/** x where x >= 0, else alpha x. @see https://onnx.ai/onnx/operators/onnx__LeakyRelu.html */
export const leakyRelu: Operator = unary("LeakyRelu", {
  dtypes: floatTypes,
  attributes: { alpha: { kind: "float", default: 0.01 } },
  gradient: ({ emit, attributes }, x, _y, dy) => {
    const slope = emit.op("Where", [isPositive(emit, x), emit.scalar(1, x.dtype), emit.scalar(attributes.float("alpha"), x.dtype)]);
    return emit.op("Mul", [dy, slope]);
  },
  lower: ({ emit, attributes }, x) => {
    const leak = emit.op("Mul", [x, emit.scalar(attributes.float("alpha"), x.dtype)]);
    return emit.op("Where", [isPositive(emit, x), x, leak]);
  },
});

/** x where x > 0, else alpha (e^x - 1). @see https://onnx.ai/onnx/operators/onnx__Elu.html */
export const elu: Operator = unary("Elu", {
  dtypes: floatTypes,
  attributes: { alpha: { kind: "float", default: 1 } },
  gradient: ({ emit, attributes }, x, y, dy) => {
    const slope = emit.op("Add", [y, emit.scalar(attributes.float("alpha"), x.dtype)]);
    return emit.op("Mul", [dy, emit.op("Where", [isPositive(emit, x), emit.scalar(1, x.dtype), slope])]);
  },
  lower: ({ emit, attributes }, x) => {
    // The unused branch must stay finite: e^x of a large x would be infinite.
    const negative = emit.op("Min", [x, emit.scalar(0, x.dtype)]);
    const curve = emit.op("Sub", [emit.op("Exp", [negative]), emit.scalar(1, x.dtype)]);
    return emit.op("Where", [isPositive(emit, x), x, emit.op("Mul", [curve, emit.scalar(attributes.float("alpha"), x.dtype)])]);
  },
});

/** 1 / (1 + e^-x). @see https://onnx.ai/onnx/operators/onnx__Sigmoid.html */
export const sigmoid: Operator = unary("Sigmoid", {
  dtypes: floatTypes,
  gradient: ({ emit }, _x, y, dy) => emit.op("Mul", [dy, emit.op("Mul", [y, emit.op("Sub", [emit.scalar(1, y.dtype), y])])]),
});

/** The hyperbolic tangent. @see https://onnx.ai/onnx/operators/onnx__Tanh.html */
export const tanh: Operator = unary("Tanh", {
  dtypes: floatTypes,
  gradient: ({ emit }, _x, y, dy) => emit.op("Mul", [dy, emit.op("Sub", [emit.scalar(1, y.dtype), emit.op("Mul", [y, y])])]),
});

/** log(1 + e^x). @see https://onnx.ai/onnx/operators/onnx__Softplus.html */
export const softplus: Operator = unary("Softplus", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Mul", [dy, emit.op("Sigmoid", [x])]),
  // max(x, 0) + log(1 + e^-|x|) neither overflows nor loses small results.
  lower: ({ emit }, x) => {
    const decay = emit.op("Exp", [emit.op("Neg", [emit.op("Abs", [x])])]);
    return emit.op("Add", [emit.op("Relu", [x]), emit.op("Log", [emit.op("Add", [decay, emit.scalar(1, x.dtype)])])]);
  },
});

/**
 * x times the normal distribution's share below x; `approximate: "tanh"` is the usual approximation. Its gradient goes through its lowering.
 *
 * @see https://onnx.ai/onnx/operators/onnx__Gelu.html
 */
export const gelu: Operator = unary("Gelu", {
  dtypes: floatTypes,
  attributes: { approximate: { kind: "string", default: "none" } },
  lower: lowerGelu,
});

function lowerGelu({ emit, attributes }: LowerContext, x: Value): Value {
  const number = (value: number): Value => emit.scalar(value, x.dtype);
  const half = emit.op("Mul", [x, number(0.5)]);
  if (attributes.string("approximate") === "none") {
    return emit.op("Mul", [half, emit.op("Add", [emit.op("Erf", [emit.op("Mul", [x, number(Math.SQRT1_2)])]), number(1)])]);
  }
  const cubic = emit.op("Mul", [emit.op("Mul", [x, emit.op("Mul", [x, x])]), number(0.044715)]);
  const inner = emit.op("Mul", [emit.op("Add", [x, cubic]), number(Math.sqrt(2 / Math.PI))]);
  return emit.op("Mul", [half, emit.op("Add", [emit.op("Tanh", [inner]), number(1)])]);
}

function isPositive(emit: Emitter, value: Value): Value {
  return emit.op("Greater", [value, emit.scalar(0, value.dtype)]);
}
