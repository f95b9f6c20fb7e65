import { dtypeCodes } from "../operators/cast.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";

/** A sequence without its masked steps. */
export interface Compacted {
  /** [batch, steps, features]: the steps that count, in their order, then zeros. */
  readonly x: Value;
  /** How many count: int32 [batch]. */
  readonly lengths: Value;
  /**
   * Puts what was computed at the steps that count back in their places; a masked step repeats the one before it (the first ones are zeros), or with
   * `zeros` is zeros.
   */
  readonly restore: (y: Value, options: { readonly zeros: boolean }) => Value;
}

/**
 * Takes the masked steps out of x [batch, steps, features], so that a recurrent operator with lengths carries its state over them.
 *
 * Steps are moved by products with matrices of zeros and ones, which every backend differentiates.
 *
 * @param mask bool [batch, steps]
 */
export function compact(emit: Emitter, x: Value, mask: Value): Compacted {
  const steps = Number(x.shape[1]);
  const { dtype } = x;
  const counts = emit.op("Cast", [mask], { to: dtypeCodes[dtype] }); // [batch, steps]
  const before = tensor(
    dtype,
    [steps, steps],
    Array.from({ length: steps * steps }, (_, i) => (Math.floor(i / steps) <= i % steps ? 1 : 0)),
  );
  const places = emit.op("MatMul", [counts, emit.constant(before)]); // how many count up to each step
  const numbers = Array.from({ length: steps }, (_, i) => i + 1);
  const selects = (rows: Value, columns: Value): Value => emit.op("Cast", [emit.op("Equal", [rows, columns])], { to: dtypeCodes[dtype] });
  const number = (shape: readonly number[]): Value => emit.constant(tensor(dtype, shape, numbers));
  const counted = emit.op("Unsqueeze", [emit.op("Mul", [places, counts]), emit.ints([1])]); // [batch, 1, steps], 0 where masked
  const forth = selects(counted, number([1, steps, 1])); // [batch, place, step]
  const total = emit.op("ReduceSum", [counts, emit.ints([1])], { keepdims: 0 });
  return {
    x: emit.op("MatMul", [forth, x]),
    lengths: emit.op("Cast", [total], { to: dtypeCodes.int32 }),
    restore(y, { zeros }) {
      const own = zeros ? emit.op("Mul", [places, counts]) : places;
      const back = selects(emit.op("Unsqueeze", [own, emit.ints([2])]), number([1, 1, steps])); // [batch, step, place]
      return emit.op("MatMul", [back, y]);
    },
  };
}

/** The steps of [batch, steps, ...] the other way round. */
export function reversed(emit: Emitter, x: Value): Value {
  return emit.op("Slice", [x, emit.ints([Number(x.shape[1]) - 1]), emit.ints([-Number(x.shape[1]) - 1]), emit.ints([1]), emit.ints([-1])]);
}
