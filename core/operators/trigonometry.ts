import { unary } from "./elementwise.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { floatTypes } from "./shapes.ts";

// Sine, cosine and arctangent are what every backend has; the others are written in them, in exponentials and in logarithms.

/** The sine of x radians. @see https://onnx.ai/onnx/operators/onnx__Sin.html */
export const sin: Operator = unary("Sin", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Mul", [dy, emit.op("Cos", [x])]),
});

/** The cosine of x radians. @see https://onnx.ai/onnx/operators/onnx__Cos.html */
export const cos: Operator = unary("Cos", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Neg", [emit.op("Mul", [dy, emit.op("Sin", [x])])]),
});

/** The tangent of x radians. @see https://onnx.ai/onnx/operators/onnx__Tan.html */
export const tan: Operator = unary("Tan", {
  dtypes: floatTypes,
  gradient: ({ emit }, _x, y, dy) => emit.op("Mul", [dy, onePlus(emit, square(emit, y))]),
  lower: ({ emit }, x) => emit.op("Div", [emit.op("Sin", [x]), emit.op("Cos", [x])]),
});

/** The angle from -pi/2 to pi/2 whose tangent is x. @see https://onnx.ai/onnx/operators/onnx__Atan.html */
export const atan: Operator = unary("Atan", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Div", [dy, onePlus(emit, square(emit, x))]),
});

/** The angle from -pi/2 to pi/2 whose sine is x. @see https://onnx.ai/onnx/operators/onnx__Asin.html */
export const asin: Operator = unary("Asin", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Div", [dy, emit.op("Sqrt", [oneMinus(emit, square(emit, x))])]),
  // x / 0 at both ends is infinite, whose arctangent is the right angle.
  lower: ({ emit }, x) => emit.op("Atan", [emit.op("Div", [x, emit.op("Sqrt", [oneMinus(emit, square(emit, x))])])]),
});

/** The angle from 0 to pi whose cosine is x. @see https://onnx.ai/onnx/operators/onnx__Acos.html */
export const acos: Operator = unary("Acos", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Neg", [emit.op("Div", [dy, emit.op("Sqrt", [oneMinus(emit, square(emit, x))])])]),
  lower: ({ emit }, x) => emit.op("Sub", [emit.scalar(Math.PI / 2, x.dtype), emit.op("Asin", [x])]),
});

/** (e^x - e^-x) / 2. @see https://onnx.ai/onnx/operators/onnx__Sinh.html */
export const sinh: Operator = unary("Sinh", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Mul", [dy, emit.op("Cosh", [x])]),
  // Near 0 the difference of exponentials has no digits left: there the series, to 1e-11.
  lower: ({ emit }, x) => {
    const difference = emit.op("Sub", [emit.op("Exp", [x]), emit.op("Exp", [emit.op("Neg", [x])])]);
    const curve = emit.op("Mul", [difference, emit.scalar(0.5, x.dtype)]);
    const small = emit.op("Less", [emit.op("Abs", [x]), emit.scalar(0.5, x.dtype)]);
    const series = [1 / 362880, 1 / 5040, 1 / 120, 1 / 6, 1].reduce<Value | undefined>(
      (sum, term) => step(emit, sum, square(emit, x), emit.scalar(term, x.dtype)),
      undefined,
    );
    return emit.op("Where", [small, emit.op("Mul", [x, series ?? x]), curve]);
  },
});

/** (e^x + e^-x) / 2. @see https://onnx.ai/onnx/operators/onnx__Cosh.html */
export const cosh: Operator = unary("Cosh", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Mul", [dy, emit.op("Sinh", [x])]),
  lower: ({ emit }, x) => {
    const sum = emit.op("Add", [emit.op("Exp", [x]), emit.op("Exp", [emit.op("Neg", [x])])]);
    return emit.op("Mul", [sum, emit.scalar(0.5, x.dtype)]);
  },
});

/** The number whose hyperbolic sine is x. @see https://onnx.ai/onnx/operators/onnx__Asinh.html */
export const asinh: Operator = unary("Asinh", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Div", [dy, emit.op("Sqrt", [onePlus(emit, square(emit, x))])]),
  // On |x|, where nothing cancels.
  lower: ({ emit }, x) => {
    const size = emit.op("Abs", [x]);
    const root = emit.op("Sqrt", [onePlus(emit, square(emit, size))]);
    return emit.op("Mul", [emit.op("Sign", [x]), emit.op("Log", [emit.op("Add", [size, root])])]);
  },
});

/** The number from 0 on whose hyperbolic cosine is x. @see https://onnx.ai/onnx/operators/onnx__Acosh.html */
export const acosh: Operator = unary("Acosh", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Div", [dy, emit.op("Sqrt", [emit.op("Sub", [square(emit, x), emit.scalar(1, x.dtype)])])]),
  lower: ({ emit }, x) => {
    const root = emit.op("Sqrt", [emit.op("Sub", [square(emit, x), emit.scalar(1, x.dtype)])]);
    return emit.op("Log", [emit.op("Add", [x, root])]);
  },
});

/** The number whose hyperbolic tangent is x. @see https://onnx.ai/onnx/operators/onnx__Atanh.html */
export const atanh: Operator = unary("Atanh", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Div", [dy, oneMinus(emit, square(emit, x))]),
  lower: ({ emit }, x) => {
    const ratio = emit.op("Div", [onePlus(emit, x), oneMinus(emit, x)]);
    return emit.op("Mul", [emit.op("Log", [ratio]), emit.scalar(0.5, x.dtype)]);
  },
});

function square(emit: Emitter, x: Value): Value {
  return emit.op("Mul", [x, x]);
}

function onePlus(emit: Emitter, x: Value): Value {
  return emit.op("Add", [x, emit.scalar(1, x.dtype)]);
}

function oneMinus(emit: Emitter, x: Value): Value {
  return emit.op("Sub", [emit.scalar(1, x.dtype), x]);
}

/** One step of Horner's rule. */
function step(emit: Emitter, sum: Value | undefined, x: Value, term: Value): Value {
  return sum === undefined ? term : emit.op("Add", [emit.op("Mul", [sum, x]), term]);
}
