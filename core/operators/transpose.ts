import type { Operator } from "./operator.ts";
import { axesOf } from "./shapes.ts";

/** Axes in another order, reversed by default. @see https://onnx.ai/onnx/operators/onnx__Transpose.html */
export const transpose: Operator = {
  name: "Transpose",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { perm: { kind: "ints" } },
  infer(context) {
    const { dtype, shape } = context.input(0);
    const perm = axesOf(context, context.attributes.has("perm") ? context.attributes.ints("perm") : reversed(shape.length), shape.length);
    if (perm.length !== shape.length) context.fail(`perm [${perm.join(", ")}] must name each of ${shape.length} axes`);
    return [{ dtype, shape: perm.map((axis) => shape[axis] ?? 1) }];
  },
  gradient({ emit, input, attributes, gradients: [dy] }) {
    const perm = attributes.has("perm") ? attributes.ints("perm") : reversed(input(0).shape.length);
    return [dy && emit.op("Transpose", [dy], { perm: perm.map((_, axis) => perm.indexOf(axis)) })];
  },
};

function reversed(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, i) => rank - 1 - i);
}
