import type { Emitter, Value } from "../operators/operator.ts";

/**
 * A value divided by its Euclidean length over axes.
 *
 * The length is at least 1e-12, as in Keras: a vector of zeros stays one, with a finite slope.
 */
export function unitLength(emit: Emitter, x: Value, axes: readonly number[]): Value {
  const squares = emit.op("ReduceSum", [emit.op("Mul", [x, x]), emit.ints(axes)], { keepdims: 1 });
  return emit.op("Div", [x, emit.op("Sqrt", [emit.op("Max", [squares, emit.scalar(1e-24, x.dtype)])])]);
}
