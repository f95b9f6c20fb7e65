import type { Operator } from "./operator.ts";
import { movableTypes, typed } from "./shapes.ts";
import { positionsAlong, staticShape } from "./static-shape.ts";

/**
 * The upper (`upper` 1) or lower triangle of the last two axes, zeros elsewhere; k (input 1) moves its edge up from the main diagonal.
 *
 * @see https://onnx.ai/onnx/operators/onnx__Trilu.html
 */
export const trilu: Operator = {
  name: "Trilu",
  domain: "",
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: { upper: { kind: "int", default: 1 } },
  infer(context) {
    const x = typed(context, 0, movableTypes);
    if (x.shape.length < 2) context.fail("the input must have two axes at least");
    if (context.inputs[1] !== undefined && typed(context, 1, ["int64"]).shape.length > 0) context.fail("k (input 1) must be a scalar");
    return [x];
  },
  gradient({ emit, inputs, attributes, gradients: [dy] }) {
    return [dy && emit.op("Trilu", [dy, inputs[1]], { upper: attributes.int("upper") })];
  },
  lower({ emit, input, inputs, attributes }) {
    const x = input(0);
    const shape = staticShape({ dtype: x.dtype, shape: x.shape.slice(-2) });
    const row = positionsAlong(emit, { axis: 0, size: shape[0] ?? 1, rank: 2 });
    const column = positionsAlong(emit, { axis: 1, size: shape[1] ?? 1, rank: 2 });
    const edge = inputs[1] ? emit.op("Add", [row, inputs[1]]) : row;
    const kept = emit.op(attributes.int("upper") === 1 ? "LessOrEqual" : "GreaterOrEqual", [edge, column]);
    return [emit.op("Where", [kept, x, emit.scalar(0, x.dtype)])];
  },
};
