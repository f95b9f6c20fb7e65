import type { Emitter, Value } from "../operators/operator.ts";
import { tensor, type Tensor } from "../tensor.ts";

/** One attention: which places of the keys each query may look at. */
export interface AttendOptions {
  /** [batch, ...heads, queries, size]. */
  readonly query: Value;
  /** [batch, ...heads, keys, size]. */
  readonly key: Value;
  /** [batch, ...heads, keys, value size]. */
  readonly value: Value;
  /** Bool, to go with [batch, ...heads, queries, keys]: true where a query may look. */
  readonly masks: readonly Value[];
  readonly scale: number;
  /** Of the weights, in training. */
  readonly dropout: number;
}

/**
 * softmax(scale query key^T) value over the places that the masks leave.
 *
 * A query that may look at nothing gets the mean of all values.
 *
 * @returns [batch, ...heads, queries, value size]
 * @see A. Vaswani et al., Attention is all you need (2017), section 3.2.1
 */
export function attend(emit: Emitter, { query, key, value, masks, scale, dropout }: AttendOptions): Value {
  const rank = key.shape.length;
  const axes = [...key.shape.keys()];
  const turned = emit.op("Transpose", [key], { perm: [...axes.slice(0, -2), rank - 1, rank - 2] });
  const scaled = emit.op("Mul", [query, emit.scalar(scale, query.dtype)]);
  const scores = masks.reduce(
    // Not minus infinity: a row without a place would become NaN.
    (sum, mask) => emit.op("Where", [mask, sum, emit.scalar(-1e9, sum.dtype)]),
    emit.op("MatMul", [scaled, turned]),
  );
  const weights = emit.op("Softmax", [scores], { axis: -1 });
  const kept = dropout === 0 ? weights : emit.op("Dropout", [weights, emit.scalar(dropout, "float32")]);
  return emit.op("MatMul", [kept, value]);
}

/** Bool [queries, keys]: true where the key is not later than the query. */
export function causalMask(queries: number, keys: number): Tensor {
  const allowed = Array.from({ length: queries * keys }, (_, i) => i % keys <= Math.floor(i / keys));
  return tensor("bool", [queries, keys], allowed);
}
