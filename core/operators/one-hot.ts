import { toNumbers } from "../tensor.ts";
import { dtypeCodes } from "./cast.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { movableTypes, numberTypes, typed } from "./shapes.ts";
import { fromFront, positionsAlong } from "./static-shape.ts";

/**
 * A new axis of `depth` (input 1, a constant) with the second of `values` (input 2: off, on) where the index is, the first elsewhere.
 *
 * Indices from -depth to -1 count from the end; beyond them everything is off.
 * @see https://onnx.ai/onnx/operators/onnx__OneHot.html
 */
export const oneHot: Operator = {
  name: "OneHot",
  domain: "",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: -1 } },
  infer(context) {
    const indices = typed(context, 0, numberTypes);
    typed(context, 1, numberTypes);
    const values = typed(context, 2, movableTypes);
    if (values.shape.length !== 1 || values.shape[0] !== 2) context.fail("values (input 2) must be two: off and on");
    const constant = context.constant(1) ?? context.fail("the depth (input 1) must be a constant");
    const depth = toNumbers(constant)[0] ?? 0;
    if (constant.data.length !== 1 || !Number.isInteger(depth) || depth < 1)
      context.fail(`the depth (input 1) must be one whole number from 1, not ${depth}`);
    const axis = context.attributes.int("axis");
    const rank = indices.shape.length + 1;
    if (axis < -rank || axis >= rank) context.fail(`axis ${axis} is outside rank ${rank} of the result`);
    return [{ dtype: values.dtype, shape: indices.shape.toSpliced(fromFront(axis, rank), 0, depth) }];
  },
  lower({ emit, input, attributes, outputTypes }) {
    const rank = input(0).shape.length + 1;
    const axis = fromFront(attributes.int("axis"), rank);
    const depth = Number(outputTypes[0]?.shape[axis]);
    const indices = input(0).dtype === "int64" ? input(0) : emit.op("Cast", [input(0)], { to: dtypeCodes.int64 });
    const column = emit.op("Unsqueeze", [indices, emit.ints([axis])]);
    const front = emit.op("Where", [
      emit.op("Less", [column, emit.scalar(0, "int64")]),
      emit.op("Add", [column, emit.scalar(depth, "int64")]),
      column,
    ]);
    const value = (place: number): Value =>
      emit.op("Squeeze", [emit.op("Slice", [input(2), emit.ints([place]), emit.ints([place + 1])]), emit.ints([0])]);
    return [emit.op("Where", [oneHotAlong(emit, front, { axis, depth }), value(1), value(0)])];
  },
};

/** Whether each place along `axis` is the one that `indices` (int64, of size 1 there) says: bool. */
export function oneHotAlong(emit: Emitter, indices: Value, { axis, depth }: { axis: number; depth: number }): Value {
  return emit.op("Equal", [indices, positionsAlong(emit, { axis, size: depth, rank: indices.shape.length })]);
}
