import { checkedWindow } from "../../../core/index.ts";
import type { Lowering } from "./lowering.ts";
import { findWinograd } from "./winograd.ts";

/** A convolution by Winograd's filtering where its weights change from run to run; else ONNX Runtime's own, which transforms them once. */
export const conv: Lowering = {
  operator: "Conv",
  isOptional: true,
  lower(context) {
    const { emit, inputs, input, attributes } = context;
    const [x, weights, bias] = [input(0), input(1), inputs[2]];
    if (!context.isTraining || x.dtype !== "float32" || weights.isConstant === true || x.shape.length !== 4) return undefined;
    const window = checkedWindow(attributes, weights.shape.slice(2), x.shape.slice(2));
    const units = weights.shape[0] ?? 0;
    const way = findWinograd(context, { x: x.shape, units, group: attributes.int("group"), window });
    const result = way?.forward(x, weights);
    if (result === undefined || bias === undefined) return result === undefined ? undefined : [result];
    return [emit.emit("Add", [result, emit.emit("Reshape", [bias.name, emit.ints([units, 1, 1])])])];
  },
};
