import type { Dimension } from "../graph/graph.ts";
import type { InferContext, Operator } from "./operator.ts";
import { symbolicCount } from "./shapes.ts";

/** A value's sizes from axis `start` up to `end`, as an int64 vector. @see https://onnx.ai/onnx/operators/onnx__Shape.html */
export const shape: Operator = {
  name: "Shape",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { start: { kind: "int", default: 0 }, end: { kind: "int" } },
  infer: (context) => [{ dtype: "int64", shape: [sizesOf(context).length] }],
  contents: sizesOf,
};

// Array.slice clamps and counts negative places from the end exactly as the operator does.
function sizesOf({ input, attributes }: InferContext): readonly Dimension[] {
  return input(0).shape.slice(attributes.int("start"), attributes.has("end") ? attributes.int("end") : undefined);
}

/** The number of a value's elements, an int64 scalar. @see https://onnx.ai/onnx/operators/onnx__Size.html */
export const size: Operator = {
  name: "Size",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  infer: () => [{ dtype: "int64", shape: [] }],
  contents({ input }) {
    const { count, batches } = symbolicCount(input(0).shape);
    if (batches === 0 || count === 0) return [count];
    return batches === 1 && count === 1 ? ["batch"] : undefined;
  },
  lower: ({ emit, input }) => [emit.op("ReduceProd", [emit.op("Shape", [input(0)])], { keepdims: 0 })],
};
