import { formatShape, type Dimension, type ValueType } from "../graph/graph.ts";
import { tensor, type DType } from "../tensor.ts";
import { dtypeCodes } from "./cast.ts";
import { reshape } from "./gradients.ts";
import type { Attributes, Emitter, InferContext, LowerContext, Operator, Value } from "./operator.ts";
import { times } from "./optimizer-node.ts";
import { alike, broadcast, floatTypes, staticSizes, typed } from "./shapes.ts";

/**
 * Scaled dot-product attention: softmax(cap(scale Q K^T) + mask) V over heads; inputs Q, K, V, attn_mask, past_key, past_value to Y and, with a past,
 * present_key and present_value.
 *
 * Q, K, V are [batch, heads, length, size], or [batch, length, heads * size] with `q_num_heads` and `kv_num_heads`; several query heads may share a
 * head of keys. The mask is bool (true takes part) or float (added); `is_causal` lets place i see the past and places up to i. A row that may see
 * nothing, by bools or by -Infinity, is 0, as in ONNX's reference and in PyTorch. The output qk_matmul_output and a mask shorter than the keys are
 * refused. The gradient goes through the lowering, which a training graph holds in its place.
 * @see https://onnx.ai/onnx/operators/onnx__Attention.html
 * @see A. Vaswani et al., Attention is all you need (2017), 3.2
 */
export const attention: Operator = {
  name: "Attention",
  domain: "",
  opset: 23,
  inputs: [3, 6],
  outputs: [1, 3],
  attributes: {
    is_causal: { kind: "int", default: 0 },
    q_num_heads: { kind: "int" },
    kv_num_heads: { kind: "int" },
    scale: { kind: "float" },
    softcap: { kind: "float", default: 0 },
    softmax_precision: { kind: "int" },
    qk_matmul_output_mode: { kind: "int", default: 0 },
  },
  infer,
  lower,
  training: lower,
};

/** The sizes of an attention, with the past in `keys`. */
export interface AttentionSizes {
  readonly batch: Dimension;
  readonly heads: number;
  readonly keyHeads: number;
  readonly queries: number;
  readonly keys: number;
  readonly past: number;
  readonly size: number;
  readonly valueSize: number;
}

/** Reads the sizes off Q, K, V and past_key (inputs 0, 1, 2 and 4), whose shapes were checked. */
export function attentionSizes(inputs: readonly (ValueType | undefined)[], attributes: Attributes): AttentionSizes {
  const shape = (index: number): readonly Dimension[] => inputs[index]?.shape ?? [];
  const [q, k, v] = [shape(0), shape(1), shape(2)];
  const past = Number(shape(4)[2] ?? 0);
  const [batch = 1] = q;
  if (q.length === 4) {
    const [heads, keyHeads] = [Number(q[1]), Number(k[1])];
    return { batch, heads, keyHeads, queries: Number(q[2]), keys: past + Number(k[2]), past, size: Number(q[3]), valueSize: Number(v[3]) };
  }
  const [heads, keyHeads] = [attributes.int("q_num_heads"), attributes.int("kv_num_heads")];
  const [size, valueSize] = [Number(q[2]) / heads, Number(v[2]) / keyHeads];
  return { batch, heads, keyHeads, queries: Number(q[1]), keys: past + Number(k[1]), past, size, valueSize };
}

/** What the scores are multiplied by: `scale`, or 1 / sqrt(size of a head). */
export function scaleOf(attributes: Attributes, { size }: AttentionSizes): number {
  return attributes.has("scale") ? attributes.float("scale") : 1 / Math.sqrt(size);
}

function infer(context: InferContext): readonly ValueType[] {
  const { attributes, fail, inputs } = context;
  const [q = context.input(0), k = context.input(1), v = context.input(2)] = alike(context, [0, 1, 2], floatTypes);
  const rank = q.shape.length;
  if ((rank !== 3 && rank !== 4) || k.shape.length !== rank || v.shape.length !== rank) fail("Q, K and V must all be of rank 3 or all of rank 4");
  for (const value of [q, k, v]) staticSizes(context, value.shape.slice(1), "an axis after the batch");
  if (rank === 3 && !(attributes.has("q_num_heads") && attributes.has("kv_num_heads"))) fail("values of rank 3 need q_num_heads and kv_num_heads");
  if (attributes.has("softmax_precision") && attributes.int("softmax_precision") !== 1) fail("softmax_precision must be 1 (float) or left out");
  if (attributes.int("qk_matmul_output_mode") !== 0) fail("the output qk_matmul_output is not there, nor a mode for it");
  if (attributes.float("softcap") < 0) fail(`softcap must be 0 (none) or above, not ${attributes.float("softcap")}`);
  const sizes = attentionSizes(inputs, attributes);
  checkSizes(context, sizes);
  checkMask(context, sizes);
  const present = presentTypes(context, sizes);
  const { batch, heads, queries, valueSize } = sizes;
  const shape = rank === 4 ? [batch, heads, queries, valueSize] : [batch, queries, heads * valueSize];
  return [{ dtype: q.dtype, shape }, ...present].slice(0, context.outputCount);
}

function checkSizes({ attributes, fail, input }: InferContext, { batch, heads, keyHeads, keys, past, size, valueSize }: AttentionSizes): void {
  const [q, k, v] = [input(0).shape, input(1).shape, input(2).shape];
  if (heads < 1 || keyHeads < 1 || !Number.isInteger(size) || !Number.isInteger(valueSize)) {
    fail(`${formatShape(q)} and ${formatShape(v)} do not divide into ${heads} and ${keyHeads} heads`);
  }
  for (const [name, found] of Object.entries({ q_num_heads: heads, kv_num_heads: keyHeads })) {
    if (attributes.has(name) && attributes.int(name) !== found) fail(`${name} is ${attributes.int(name)}, but there are ${found} heads`);
  }
  if (heads % keyHeads !== 0) fail(`${heads} query heads do not share ${keyHeads} key heads evenly`);
  const expected = q.length === 4 ? [batch, keyHeads, keys - past, size] : [batch, keys - past, keyHeads * size];
  if (formatShape(k) !== formatShape(expected)) fail(`K must be ${formatShape(expected)} to go with Q ${formatShape(q)}, not ${formatShape(k)}`);
  const last = q.length === 4 ? valueSize : keyHeads * valueSize;
  if (formatShape(v) !== formatShape([...k.slice(0, -1), last])) fail(`V must be as long as K ${formatShape(k)}, not ${formatShape(v)}`);
}

function checkMask(context: InferContext, { batch, heads, queries, keys }: AttentionSizes): void {
  const mask = context.inputs[3];
  if (mask === undefined) return;
  typed(context, 3, ["bool", context.input(0).dtype]);
  const scores = [batch, heads, queries, keys];
  if (formatShape(broadcast(context, [scores, mask.shape])) !== formatShape(scores)) {
    context.fail(`attn_mask ${formatShape(mask.shape)} is larger than the scores ${formatShape(scores)}`);
  }
}

function presentTypes(context: InferContext, { batch, keyHeads, keys, past, size, valueSize }: AttentionSizes): readonly ValueType[] {
  const { inputs, fail, outputCount } = context;
  const { dtype } = context.input(0);
  if ((inputs[4] === undefined) !== (inputs[5] === undefined)) fail("past_key and past_value (inputs 4 and 5) come together");
  if (inputs[4] === undefined && outputCount > 1) fail("present_key and present_value are outputs with a past alone");
  for (const [index, last] of [size, valueSize].entries()) {
    const given = inputs[4 + index];
    if (given === undefined) continue;
    typed(context, 4 + index, [dtype]);
    const expected = [batch, keyHeads, past, last];
    if (formatShape(given.shape) !== formatShape(expected))
      fail(`input ${4 + index} must be ${formatShape(expected)}, not ${formatShape(given.shape)}`);
  }
  return [size, valueSize].map((last) => ({ dtype, shape: [batch, keyHeads, keys, last] }));
}

function lower(context: LowerContext): readonly Value[] {
  const { emit, inputs, input, attributes, outputTypes } = context;
  const sizes = attentionSizes(inputs, attributes);
  const { batch, heads, keyHeads, queries, keys, size, valueSize } = sizes;
  const isFlat = input(0).shape.length === 3;
  const byHead = (value: Value, count: number): Value => {
    if (!isFlat) return value;
    const [, length = 1, width = 1] = value.shape;
    return emit.op("Transpose", [reshape(emit, value, [batch, length, count, Number(width) / count])], { perm: [0, 2, 1, 3] });
  };
  const withPast = (value: Value, past: Value | undefined): Value => (past ? emit.op("Concat", [past, value], { axis: 2 }) : value);
  const key = withPast(byHead(input(1), keyHeads), inputs[4]); // [batch, key heads, keys, size]
  const value = withPast(byHead(input(2), keyHeads), inputs[5]);
  // Query heads that share keys are rows of one product.
  const rows = (heads / keyHeads) * queries;
  const query = reshape(emit, times(emit, byHead(input(0), heads), scaleOf(attributes, sizes)), [batch, keyHeads, rows, size]);
  const products = emit.op("MatMul", [query, emit.op("Transpose", [key], { perm: [0, 1, 3, 2] })]);
  const scores = reshape(emit, capped(emit, products, attributes.float("softcap")), [batch, heads, queries, keys]);
  const seen = visible(context, sizes);
  const masked = seen ? emit.op("Where", [seen.places, added(context, scores), emit.scalar(lowestOf(scores.dtype), scores.dtype)]) : scores;
  const weights = reshape(emit, emit.op("Softmax", [masked], { axis: -1 }), [batch, keyHeads, rows, keys]);
  const all = reshape(emit, emit.op("MatMul", [weights, value]), [batch, heads, queries, valueSize]);
  const y = seen?.rows ? emit.op("Where", [seen.rows, all, emit.scalar(0, all.dtype)]) : all;
  const flat = isFlat ? reshape(emit, emit.op("Transpose", [y], { perm: [0, 2, 1, 3] }), [batch, queries, heads * valueSize]) : y;
  return [flat, key, value].slice(0, outputTypes.length);
}

function capped(emit: Emitter, scores: Value, cap: number): Value {
  return cap === 0 ? scores : times(emit, emit.op("Tanh", [times(emit, scores, 1 / cap)]), cap);
}

/** A score that no softmax sees beside others. Not infinite: a row of it alone has a softmax then, and a gradient, before it becomes 0. */
function lowestOf(dtype: DType): number {
  return dtype === "float16" ? -65_504 : -3.402_823_466_385_288_6e38;
}

function added({ emit, inputs }: LowerContext, scores: Value): Value {
  const mask = inputs[3];
  return mask && mask.dtype !== "bool" ? emit.op("Add", [scores, mask]) : scores;
}

/** Conditions on what a softmax sees. */
interface Visible {
  /** For each score, under broadcasting. */
  readonly places: Value;
  /** Whether a row sees anything, its last axis of size 1; undefined where every row does. */
  readonly rows: Value | undefined;
}

function visible({ emit, inputs, attributes }: LowerContext, { queries, keys, past }: AttentionSizes): Visible | undefined {
  const mask = inputs[3];
  const upTo = Array.from({ length: queries * keys }, (_, i) => i % keys <= Math.floor(i / keys) + past);
  const causal = attributes.int("is_causal") === 1 ? emit.constant(tensor("bool", [queries, keys], upTo)) : undefined;
  if (mask === undefined) return causal && { places: causal, rows: undefined };
  const open = mask.dtype === "bool" ? mask : emit.op("Greater", [mask, emit.scalar(-Infinity, mask.dtype)]);
  const places = causal ? emit.op("And", [causal, open]) : open;
  return { places, rows: rowsThatSee(emit, places) };
}

/** Which rows of a bool mask [..., queries, keys] have a place that is true: [..., queries, 1]. */
export function rowsThatSee(emit: Emitter, places: Value): Value {
  const most = emit.op("ReduceMax", [emit.op("Cast", [places], { to: dtypeCodes.float32 }), emit.ints([-1])], { keepdims: 1 });
  return emit.op("Greater", [most, emit.scalar(0, "float32")]);
}
