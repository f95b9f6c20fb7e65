import { toNumbers } from "../tensor.ts";
import { dtypeCodes } from "./cast.ts";
import { unary } from "./elementwise.ts";
import { sumTo } from "./gradients.ts";
import type { GradientContext, Operator, Value } from "./operator.ts";
import { broadcast, floatTypes, isFloat, numberTypes, signedTypes, typed } from "./shapes.ts";

/** x^e, in x's element type. @see https://onnx.ai/onnx/operators/onnx__Pow.html */
export const pow: Operator = {
  name: "Pow",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const x = typed(context, 0, signedTypes);
    const exponent = typed(context, 1, numberTypes);
    return [{ dtype: x.dtype, shape: broadcast(context, [x.shape, exponent.shape]) }];
  },
  gradient(context) {
    const { emit, input, needs, outputs } = context;
    const [dy] = context.gradients;
    const x = input(0);
    if (dy === undefined) return [];
    const dx = needs(0) ? gradientOfBase(context, x, dy) : undefined;
    if (!needs(1)) return [dx && sumTo(emit, dx, x.shape)];
    // y log x, which is 0 at x = 0 where log x is -inf.
    const positive = emit.op("Greater", [x, emit.scalar(0, x.dtype)]);
    const log = emit.op("Log", [emit.op("Where", [positive, x, emit.scalar(1, x.dtype)])]);
    const product = emit.op("Mul", [dy, emit.op("Mul", [outputs[0], log])]);
    return [dx && sumTo(emit, dx, x.shape), sumTo(emit, castLike(context, product, input(1)), input(1).shape)];
  },
};

/** x^e as IEEE 754 has it: 1 to any power is 1, also to NaN and infinities, where JavaScript's own power is NaN. */
export function power(x: number, exponent: number): number {
  return x === 1 || (x === -1 && Math.abs(exponent) === Infinity) ? 1 : x ** exponent;
}

function gradientOfBase(context: GradientContext, x: Value, dy: Value): Value | undefined {
  const { emit, input } = context;
  const known = context.constant(1);
  const power = known && known.shape.length === 0 ? toNumbers(known)[0] : undefined;
  if (power === 0) return undefined;
  if (power === 1) return dy;
  if (power === 2) return emit.op("Mul", [dy, emit.op("Mul", [x, emit.scalar(2, x.dtype)])]);
  if (power !== undefined) {
    const slope = emit.op("Mul", [emit.op("Pow", [x, emit.scalar(power - 1, x.dtype)]), emit.scalar(power, x.dtype)]);
    return emit.op("Mul", [dy, slope]);
  }
  const exponent = castLike(context, input(1), x);
  const one = emit.scalar(1, x.dtype);
  // An exponent of 0 has slope 0, also at x = 0 where x^(e-1) is infinite.
  const isZero = emit.op("Equal", [exponent, emit.scalar(0, x.dtype)]);
  const lowered = emit.op("Where", [isZero, emit.scalar(0, x.dtype), emit.op("Sub", [exponent, one])]);
  return emit.op("Mul", [dy, emit.op("Mul", [exponent, emit.op("Pow", [x, lowered])])]);
}

function castLike({ emit }: GradientContext, value: Value, like: Value): Value {
  return value.dtype === like.dtype || !isFloat(like.dtype) ? value : emit.op("Cast", [value], { to: dtypeCodes[like.dtype] });
}

/** The square root. @see https://onnx.ai/onnx/operators/onnx__Sqrt.html */
export const sqrt: Operator = unary("Sqrt", {
  dtypes: floatTypes,
  gradient: ({ emit }, _x, y, dy) => emit.op("Div", [emit.op("Mul", [dy, emit.scalar(0.5, y.dtype)]), y]),
});

/** e^x. @see https://onnx.ai/onnx/operators/onnx__Exp.html */
export const exp: Operator = unary("Exp", { dtypes: floatTypes, gradient: ({ emit }, _x, y, dy) => emit.op("Mul", [dy, y]) });

/** The natural logarithm. @see https://onnx.ai/onnx/operators/onnx__Log.html */
export const log: Operator = unary("Log", { dtypes: floatTypes, gradient: ({ emit }, x, _y, dy) => emit.op("Div", [dy, x]) });

/** The error function; its slope is 2/sqrt(pi) exp(-x^2). @see https://onnx.ai/onnx/operators/onnx__Erf.html */
export const erf: Operator = unary("Erf", {
  dtypes: floatTypes,
  gradient: ({ emit }, x, _y, dy) => {
    const bell = emit.op("Exp", [emit.op("Neg", [emit.op("Mul", [x, x])])]);
    return emit.op("Mul", [dy, emit.op("Mul", [bell, emit.scalar(2 / Math.sqrt(Math.PI), x.dtype)])]);
  },
});
