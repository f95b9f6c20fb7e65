import { toNumbers } from "../tensor.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { axisOf, signedTypes, typed } from "./shapes.ts";
import { fromFront, staticShape } from "./static-shape.ts";

/**
 * Running sums along the axis in input 1 (a constant): from the front or, with `reverse`, from the back; `exclusive` leaves an element's own value out.
 *
 * @see https://onnx.ai/onnx/operators/onnx__CumSum.html
 */
export const cumSum: Operator = {
  name: "CumSum",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { exclusive: { kind: "int", default: 0 }, reverse: { kind: "int", default: 0 } },
  infer(context) {
    const x = typed(context, 0, signedTypes);
    typed(context, 1, ["int32", "int64"]);
    const axis = context.constant(1) ?? context.fail("the axis (input 1) must be a constant");
    if (axis.data.length !== 1) context.fail("the axis (input 1) must be one number");
    axisOf(context, toNumbers(axis)[0] ?? 0, x.shape.length);
    return [x];
  },
  // Each element goes into the sums behind it: the sums of dy from the other side.
  gradient({ emit, input, attributes, gradients: [dy] }) {
    const [exclusive, reverse] = [attributes.int("exclusive"), attributes.int("reverse")];
    return [dy && emit.op("CumSum", [dy, input(1)], { exclusive, reverse: 1 - reverse })];
  },
  lower({ emit, input, constant, attributes }) {
    const x = input(0);
    const given = constant(1);
    const axis = fromFront((given && toNumbers(given)[0]) ?? 0, x.shape.length);
    const size = staticShape(x)[axis] ?? 1;
    const reverse = attributes.int("reverse") === 1;
    // After the step of distance d, an element holds the sum of the 2d elements up to it.
    let sums = attributes.int("exclusive") === 1 ? shifted(emit, x, { axis, size, distance: 1, reverse }) : x;
    for (let distance = 1; distance < size; distance *= 2) sums = emit.op("Add", [sums, shifted(emit, sums, { axis, size, distance, reverse })]);
    return [sums === x ? emit.op("Identity", [x]) : sums];
  },
};

interface Shift {
  readonly axis: number;
  readonly size: number;
  readonly distance: number;
  readonly reverse: boolean;
}

/** Elements moved towards the end (or the front) of the axis; zeros come in. */
function shifted(emit: Emitter, value: Value, { axis, size, distance, reverse }: Shift): Value {
  const [start, end] = reverse ? [Math.min(distance, size), size] : [0, Math.max(0, size - distance)];
  const kept = emit.op("Slice", [value, emit.ints([start]), emit.ints([end]), emit.ints([axis])]);
  const zeros = size - (end - start);
  return emit.op("Pad", [kept, emit.ints(reverse ? [0, zeros] : [zeros, 0]), undefined, emit.ints([axis])]);
}
