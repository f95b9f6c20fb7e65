import type { GraphBuilder } from "../graph/builder.ts";
import { dtypeCodes } from "../operators/cast.ts";
import type { Value } from "../operators/operator.ts";
import { regularize, type Regularizer } from "./regularizer.ts";

/**
 * The penalties of all values that the builder's graph marks (ActivityRegularization), each divided by the rows of the batch, as Keras does.
 *
 * @returns float32 scalars; none where nothing is marked
 * @throws ARGUMENT_INVALID for a regulariser that is none
 */
export function activityPenalties(builder: GraphBuilder): readonly Value[] {
  const marks = builder.nodes.filter(({ operator }) => operator === "ActivityRegularization");
  return marks.map(({ inputs: [name = ""], attributes }) => {
    const value = builder.value(name);
    const cast = (other: Value): Value => builder.op("Cast", [other], { to: dtypeCodes.float32 });
    const penalty = regularize(builder, attributes as unknown as Regularizer, value.dtype === "float32" ? value : cast(value)); // checked there
    const rows = cast(builder.op("Shape", [value], { start: 0, end: 1 }));
    return builder.op("Div", [penalty, builder.op("Squeeze", [rows, builder.ints([0])])]);
  });
}
