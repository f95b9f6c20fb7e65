import { unary } from "./elementwise.ts";
import type { Operator } from "./operator.ts";
import { floatTypes } from "./shapes.ts";

/** The largest whole number not above x; its gradient is 0 everywhere. @see https://onnx.ai/onnx/operators/onnx__Floor.html */
export const floor: Operator = unary("Floor", { dtypes: floatTypes, gradient: () => undefined });

/** The smallest whole number not below x; its gradient is 0 everywhere. @see https://onnx.ai/onnx/operators/onnx__Ceil.html */
export const ceil: Operator = unary("Ceil", {
  dtypes: floatTypes,
  gradient: () => undefined,
  lower: ({ emit }, x) => emit.op("Neg", [emit.op("Floor", [emit.op("Neg", [x])])]),
});

/** The nearest whole number, of two the even one; its gradient is 0 everywhere. @see https://onnx.ai/onnx/operators/onnx__Round.html */
export const round: Operator = unary("Round", {
  dtypes: floatTypes,
  gradient: () => undefined,
  // x + 0.5 would round before Floor does; the distance to the whole number below is exact.
  lower: ({ emit }, x) => {
    const number = (value: number): ReturnType<typeof emit.scalar> => emit.scalar(value, x.dtype);
    const below = emit.op("Floor", [x]);
    const above = emit.op("Add", [below, number(1)]);
    const distance = emit.op("Sub", [x, below]);
    const half = emit.op("Mul", [below, number(0.5)]);
    const even = emit.op("Where", [emit.op("Equal", [emit.op("Floor", [half]), half]), below, above]);
    const nearest = emit.op("Where", [emit.op("Greater", [distance, number(0.5)]), above, below]);
    return emit.op("Where", [emit.op("Equal", [distance, number(0.5)]), even, nearest]);
  },
});
