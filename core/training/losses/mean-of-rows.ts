import type { Emitter, Value } from "../../operators/operator.ts";

/**
 * The mean of the rows' losses.
 *
 * @param rows float32 [batch]
 * @param weights float32 [batch]: the result is sum(weight * row) / sum(weight)
 * @returns float32 []
 */
export function meanOfRows(emit: Emitter, rows: Value, weights?: Value): Value {
  if (weights === undefined) return emit.op("ReduceMean", [rows], { keepdims: 0 });
  const sum = emit.op("ReduceSum", [emit.op("Mul", [rows, weights])], { keepdims: 0 });
  return emit.op("Div", [sum, emit.op("ReduceSum", [weights], { keepdims: 0 })]);
}
