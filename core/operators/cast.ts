import type { DType } from "../tensor.ts";
import { isExactSize, sameContents } from "./contents.ts";
import type { Operator } from "./operator.ts";
import { isFloat, movableTypes, typed } from "./shapes.ts";

/** ONNX's numbers for element types: the values of Cast's `to`. @see https://onnx.ai/onnx/api/classes.html#tensorproto */
export const dtypeCodes: Readonly<Record<DType, number>> = { float32: 1, uint8: 2, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, float64: 11 };

/** The element type of an ONNX number; undefined for one that Espalier does not have. */
export function dtypeOfCode(code: number): DType | undefined {
  return Object.entries(dtypeCodes).find(([, known]) => known === code)?.[0] as DType | undefined; // keys of dtypeCodes
}

/** The value in another element type; floats become whole numbers by cutting. @see https://onnx.ai/onnx/operators/onnx__Cast.html */
export const cast: Operator = {
  name: "Cast",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { to: { kind: "int", required: true } },
  infer(context) {
    const x = typed(context, 0, movableTypes);
    const to = context.attributes.int("to");
    const dtype = dtypeOfCode(to);
    if (dtype === undefined || dtype === "string") return context.fail(`cannot cast to element type ${to} of ONNX`);
    return [{ dtype, shape: x.shape }];
  },
  contents(context) {
    const sizes = [dtypeCodes.int64, dtypeCodes.int32, dtypeCodes.float32, dtypeCodes.float64].includes(context.attributes.int("to"));
    const contents = sizes ? sameContents(context) : undefined;
    return contents?.every(isExactSize) ? contents : undefined;
  },
  gradient({ emit, input, gradients }) {
    const [dy] = gradients;
    return dy && isFloat(input(0).dtype) ? [emit.op("Cast", [dy], { to: dtypeCodes[input(0).dtype] })] : [];
  },
};
