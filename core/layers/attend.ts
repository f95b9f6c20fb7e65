import { rowsThatSee } from "../operators/attention.ts";
import { reshape } from "../operators/gradients.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";

/** One attention over heads that lie side by side in the last dimension. */
export interface AttendOptions {
  /** [batch, queries, queryHeads * size]. */
  readonly query: Value;
  /** [batch, keys, heads * size]. */
  readonly key: Value;
  /** [batch, keys, heads * value size]. */
  readonly value: Value;
  readonly queryHeads: number;
  /** Of keys and values; divides `queryHeads`. */
  readonly heads: number;
  /** Whether a query sees no later key. */
  readonly isCausal: boolean;
  /** Bool [batch, keys]: true for keys that count. */
  readonly padding: Value | undefined;
  /** Bool [batch, queries, keys] or [queries, keys]: true where a query may look. */
  readonly mask: Value | undefined;
  /** Of the attention's weights, in training. */
  readonly dropout: number;
}

/**
 * softmax(query key^T / sqrt(size)) value in every head, over the places that the masks leave; a query that may look at nothing gets 0.
 *
 * It is ONNX's Attention but where weights are dropped, which that cannot.
 *
 * @returns [batch, queries, queryHeads * value size]
 * @see A. Vaswani et al., Attention is all you need (2017), section 3.2.1
 */
export function attend(emit: Emitter, options: AttendOptions): Value {
  const { query, key, value, queryHeads, heads, isCausal, dropout } = options;
  const mask = joinedMask(emit, options);
  if (dropout === 0)
    return emit.op("Attention", [query, key, value, mask], { q_num_heads: queryHeads, kv_num_heads: heads, is_causal: isCausal ? 1 : 0 });
  const [queries, keys] = [Number(query.shape[1]), Number(key.shape[1])];
  const size = Number(query.shape[2]) / queryHeads;
  const [batch = 1] = query.shape;
  const shared = queryHeads / heads;
  const byHead = (x: Value, perm: readonly number[]): Value => {
    return emit.op("Transpose", [reshape(emit, x, [batch, Number(x.shape[1]), heads, Number(x.shape[2]) / heads])], { perm });
  };
  // Queries that share a head of keys are rows of one product: [batch, heads, shared * queries, size].
  const parts = reshape(emit, query, [batch, queries, heads, shared, size]);
  const rows = reshape(emit, emit.op("Transpose", [parts], { perm: [0, 2, 3, 1, 4] }), [batch, heads, shared * queries, size]);
  const scaled = emit.op("Mul", [rows, emit.scalar(1 / Math.sqrt(size), query.dtype)]);
  const products = reshape(emit, emit.op("MatMul", [scaled, byHead(key, [0, 2, 3, 1])]), [batch, queryHeads, queries, keys]);
  const causal = tensor(
    "bool",
    [queries, keys],
    Array.from({ length: queries * keys }, (_, i) => i % keys <= Math.floor(i / keys)),
  );
  const masks = [mask, isCausal ? emit.constant(causal) : undefined].filter((one) => one !== undefined);
  const places = masks.length === 0 ? undefined : masks.reduce((a, b) => emit.op("And", [a, b]));
  // Not minus infinity: a row without a place would become NaN.
  const scores = places ? emit.op("Where", [places, products, emit.scalar(-1e9, products.dtype)]) : products;
  const weights = emit.op("Dropout", [emit.op("Softmax", [scores], { axis: -1 }), emit.scalar(dropout, "float32")]);
  const seen = emit.op("MatMul", [reshape(emit, weights, [batch, heads, shared * queries, keys]), byHead(value, [0, 2, 1, 3])]);
  const width = Number(value.shape[2]) / heads;
  const all = reshape(emit, seen, [batch, queryHeads, queries, width]);
  const some = mask && places ? emit.op("Where", [rowsThatSee(emit, places), all, emit.scalar(0, all.dtype)]) : all;
  const back = emit.op("Transpose", [some], { perm: [0, 2, 1, 3] });
  return reshape(emit, back, [batch, queries, queryHeads * width]);
}

/** Padding and mask as one that goes with [batch, heads, queries, keys]. */
function joinedMask(emit: Emitter, { padding, mask }: AttendOptions): Value | undefined {
  const parts = [
    padding && emit.op("Unsqueeze", [padding, emit.ints([1, 2])]),
    mask && (mask.shape.length === 2 ? mask : emit.op("Unsqueeze", [mask, emit.ints([1])])),
  ];
  const given = parts.filter((part) => part !== undefined);
  return given.length === 0 ? undefined : given.reduce((a, b) => emit.op("And", [a, b]));
}
