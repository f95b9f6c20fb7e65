import { sizeArithmetic } from "./contents.ts";
import { binary, unary } from "./elementwise.ts";
import type { Operator } from "./operator.ts";
import { floatTypes, numberTypes, signedTypes } from "./shapes.ts";

/** a + b. @see https://onnx.ai/onnx/operators/onnx__Add.html */
export const add: Operator = binary("Add", { dtypes: numberTypes, contents: sizeArithmetic.Add, gradient: (_, dy) => [() => dy, () => dy] });

/** a - b. @see https://onnx.ai/onnx/operators/onnx__Sub.html */
export const sub: Operator = binary("Sub", {
  dtypes: numberTypes,
  contents: sizeArithmetic.Sub,
  gradient: ({ emit }, dy) => [() => dy, () => emit.op("Neg", [dy])],
});

/** a b. @see https://onnx.ai/onnx/operators/onnx__Mul.html */
export const mul: Operator = binary("Mul", {
  dtypes: numberTypes,
  contents: sizeArithmetic.Mul,
  gradient: ({ emit, input }, dy) => [() => emit.op("Mul", [dy, input(1)]), () => emit.op("Mul", [dy, input(0)])],
});

/** a / b; whole numbers are cut towards zero. @see https://onnx.ai/onnx/operators/onnx__Div.html */
export const div: Operator = binary("Div", {
  dtypes: numberTypes,
  contents: sizeArithmetic.Div,
  gradient: ({ emit, input, outputs }, dy) => [
    () => emit.op("Div", [dy, input(1)]),
    () => emit.op("Neg", [emit.op("Div", [emit.op("Mul", [dy, outputs[0]]), input(1)])]),
  ],
});

/** -x. @see https://onnx.ai/onnx/operators/onnx__Neg.html */
export const neg: Operator = unary("Neg", {
  dtypes: signedTypes,
  gradient: ({ emit }, _x, _y, dy) => emit.op("Neg", [dy]),
});

/** 1 / x. @see https://onnx.ai/onnx/operators/onnx__Reciprocal.html */
export const reciprocal: Operator = unary("Reciprocal", {
  dtypes: floatTypes,
  gradient: ({ emit }, _x, y, dy) => emit.op("Neg", [emit.op("Mul", [dy, emit.op("Mul", [y, y])])]),
  lower: ({ emit }, x) => emit.op("Div", [emit.scalar(1, x.dtype), x]),
});

/** |x|; the gradient at 0 is 0. @see https://onnx.ai/onnx/operators/onnx__Abs.html */
export const abs: Operator = unary("Abs", {
  dtypes: signedTypes,
  gradient: ({ emit }, x, _y, dy) => emit.op("Mul", [dy, emit.op("Sign", [x])]),
});

/** -1, 0 or 1; its gradient is 0 everywhere. @see https://onnx.ai/onnx/operators/onnx__Sign.html */
export const sign: Operator = unary("Sign", { dtypes: signedTypes, gradient: () => undefined });
