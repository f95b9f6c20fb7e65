import { sameSize } from "./contents.ts";
import { binary, unary } from "./elementwise.ts";
import type { Operator } from "./operator.ts";
import { numberTypes } from "./shapes.ts";

/** a = b. @see https://onnx.ai/onnx/operators/onnx__Equal.html */
export const equal: Operator = binary("Equal", { dtypes: [...numberTypes, "bool"], result: "bool", contents: sameSize });

/** a < b. @see https://onnx.ai/onnx/operators/onnx__Less.html */
export const less: Operator = binary("Less", { dtypes: numberTypes, result: "bool" });

/** a <= b. @see https://onnx.ai/onnx/operators/onnx__LessOrEqual.html */
export const lessOrEqual: Operator = binary("LessOrEqual", { dtypes: numberTypes, result: "bool" });

/** a > b. @see https://onnx.ai/onnx/operators/onnx__Greater.html */
export const greater: Operator = binary("Greater", { dtypes: numberTypes, result: "bool" });

/** a >= b. @see https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html */
export const greaterOrEqual: Operator = binary("GreaterOrEqual", { dtypes: numberTypes, result: "bool" });

/** Both. @see https://onnx.ai/onnx/operators/onnx__And.html */
export const and: Operator = binary("And", { dtypes: ["bool"], result: "bool" });

/** Either. @see https://onnx.ai/onnx/operators/onnx__Or.html */
export const or: Operator = binary("Or", { dtypes: ["bool"], result: "bool" });

/** One of the two, not both. @see https://onnx.ai/onnx/operators/onnx__Xor.html */
export const xor: Operator = {
  ...binary("Xor", { dtypes: ["bool"], result: "bool" }),
  lower: ({ emit, input }) => [emit.op("Not", [emit.op("Equal", [input(0), input(1)])])],
};

/** The opposite. @see https://onnx.ai/onnx/operators/onnx__Not.html */
export const not: Operator = unary("Not", { dtypes: ["bool"] });
