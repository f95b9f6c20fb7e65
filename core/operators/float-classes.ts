import type { LowerContext, Operator, Value } from "./operator.ts";
import { floatTypes, typed } from "./shapes.ts";

/** Whether x is no number. @see https://onnx.ai/onnx/operators/onnx__IsNaN.html */
export const isNaN: Operator = {
  ...test("IsNaN", {}),
  lower: ({ emit, input }) => [emit.op("Not", [emit.op("Equal", [input(0), input(0)])])],
};

/** Whether x is infinite, of either sign or of the ones asked for. @see https://onnx.ai/onnx/operators/onnx__IsInf.html */
export const isInf: Operator = {
  ...test("IsInf", { detect_negative: { kind: "int", default: 1 }, detect_positive: { kind: "int", default: 1 } }),
  lower: ({ emit, input, attributes }: LowerContext): readonly Value[] => {
    const equals = (value: number): Value => emit.op("Equal", [input(0), emit.scalar(value, input(0).dtype)]);
    const [low, high] = [attributes.int("detect_negative") === 1, attributes.int("detect_positive") === 1];
    if (low && high) return [emit.op("Or", [equals(-Infinity), equals(Infinity)])];
    if (low || high) return [equals(low ? -Infinity : Infinity)];
    return [emit.op("Xor", [equals(0), equals(0)])];
  },
};

function test(name: string, attributes: Operator["attributes"]): Operator {
  return {
    name,
    domain: "",
    inputs: [1, 1],
    outputs: [1, 1],
    attributes,
    infer: (context) => [{ dtype: "bool", shape: typed(context, 0, floatTypes).shape }],
  };
}
