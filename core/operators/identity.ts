import { sameContents } from "./contents.ts";
import type { Operator } from "./operator.ts";

/** The value itself. @see https://onnx.ai/onnx/operators/onnx__Identity.html */
export const identity: Operator = {
  name: "Identity",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  infer: (context) => [context.input(0)],
  contents: sameContents,
  gradient: ({ gradients }) => [gradients[0]],
};
