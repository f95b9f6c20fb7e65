import { EspalierError } from "../errors.ts";
import { formatShape } from "../graph/graph.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { checkNumber, checkSize, sizeOf } from "./argument.ts";
import { attend, causalMask } from "./attend.ts";
import { named, type Layer, type LayerContext, type LayerName } from "./layer.ts";
import { weight, type Weight, type WeightArguments } from "./weight.ts";

/** What both attentions take. */
interface Common extends LayerName, WeightArguments<"kernel">, WeightArguments<"bias"> {
  /** Of the attention's weights, in training. Default 0. */
  readonly dropout?: number;
  readonly useBias?: boolean;
  /** Whether a query sees no later place. Default false. */
  readonly useCausalMask?: boolean;
}

/** Arguments of Keras's MultiHeadAttention. */
export interface MultiHeadAttentionOptions extends Common {
  readonly numHeads: number;
  /** The size of a head's queries and keys. */
  readonly keyDim: number;
  /** The size of a head's values. Default `keyDim`. */
  readonly valueDim?: number | undefined;
  /** The size of the output. Default: the query's. */
  readonly outputShape?: number | undefined;
}

/**
 * Attention in several heads: query [batch, places, size] (and value, key [batch, others, size]) -> [batch, places, outputShape].
 *
 * Applied to one value it attends to itself; to two: query and value; to three: query, value and key. A last bool value [batch, places, others]
 * (or [places, others] of a constant) says where a query may look; padding masked by an embedding is left out by itself.
 *
 * Parameters `query/kernel` [size, heads * keyDim] and `query/bias`, the same of `key`, `value` and `attention_output`.
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the inputs are not sequences of one length
 * @see https://keras.io/api/layers/attention_layers/multi_head_attention/
 * @see A. Vaswani et al., Attention is all you need (2017)
 */
export function multiHeadAttention({ numHeads, keyDim, valueDim, outputShape, ...options }: MultiHeadAttentionOptions): Layer {
  const where = "multiHeadAttention";
  for (const [name, size] of Object.entries({ numHeads, keyDim, valueDim: valueDim ?? keyDim, outputShape: outputShape ?? 1 }))
    checkSize(where, name, size);
  const sizes = { queryHeads: numHeads, heads: numHeads, keySize: keyDim, valueSize: valueDim ?? keyDim, outputSize: outputShape };
  const config = { numHeads, keyDim, valueDim: valueDim ?? keyDim, ...(outputShape !== undefined && { outputShape }) };
  return attention(options, { where, kind: "MultiHeadAttention", sizes, config });
}

/** Arguments of Keras's GroupQueryAttention. */
export interface GroupedQueryAttentionOptions extends Common {
  readonly headDim: number;
  readonly numQueryHeads: number;
  /** Heads of keys and values, each for as many query heads; divides `numQueryHeads`. */
  readonly numKeyValueHeads: number;
}

/**
 * Multi-head attention in which several query heads share one head of keys and values. Inputs and parameters are those of `multiHeadAttention`.
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the inputs are not sequences of one length
 * @see https://keras.io/api/layers/attention_layers/group_query_attention/
 * @see J. Ainslie et al., GQA: training generalized multi-query transformer models from multi-head checkpoints (2023)
 */
export function groupedQueryAttention({ headDim, numQueryHeads, numKeyValueHeads, ...options }: GroupedQueryAttentionOptions): Layer {
  const where = "groupedQueryAttention";
  const config = { headDim, numQueryHeads, numKeyValueHeads };
  for (const [name, size] of Object.entries(config)) checkSize(where, name, size);
  if (numQueryHeads % numKeyValueHeads !== 0) {
    throw new EspalierError("ARGUMENT_INVALID", `${where}: ${numQueryHeads} query heads cannot share ${numKeyValueHeads} heads equally`, config);
  }
  const sizes = { queryHeads: numQueryHeads, heads: numKeyValueHeads, keySize: headDim, valueSize: headDim, outputSize: undefined };
  return attention(options, { where, kind: "GroupQueryAttention", sizes, config });
}

interface Heads {
  readonly queryHeads: number;
  /** Of keys and values. */
  readonly heads: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly outputSize: number | undefined;
}

interface Which {
  readonly where: string;
  readonly kind: string;
  readonly sizes: Heads;
  readonly config: Readonly<Record<string, unknown>>;
}

function attention({ dropout = 0, useBias = true, useCausalMask = false, ...rest }: Common, { where, kind, sizes, config }: Which): Layer {
  checkNumber(where, "dropout", dropout, { from: 0, below: 1 });
  const { queryHeads, heads, keySize, valueSize, outputSize } = sizes;
  const kernel = weight(where, "kernel", rest, "glorotUniform");
  const bias = weight(where, "bias", rest, "zeros");
  return {
    kind,
    ...named(rest),
    config: { ...config, dropout, useBias, ...kernel.config, ...bias.config, ...(useCausalMask && { useCausalMask }) },
    merges: true,
    passesMask: true,
    apply(context, query, ...others) {
      const { emit, maskOf, fail } = context;
      const { value, key, mask } = rolesOf(query, others, fail);
      const shared = queryHeads / heads;
      const b = useBias ? bias : undefined;
      const project = (name: string, x: Value, { count, size }: { count: number; size: number }): Value => {
        return byHead(emit, projected(context, { name, x, units: count * size, kernel, bias: b }), count);
      };
      const queries = project("query", query, { count: queryHeads, size: keySize });
      const keys = project("key", key, { count: heads, size: keySize });
      const values = project("value", value, { count: heads, size: valueSize });
      // Shared heads: queries [batch, heads, shared, places, size] against keys [batch, heads, 1, places, size].
      const one = (x: Value): Value => (shared === 1 ? x : emit.op("Unsqueeze", [x, emit.ints([2])]));
      const q = shared === 1 ? queries : emit.op("Reshape", [queries, emit.ints([0, heads, shared, Number(query.shape[1]), keySize])]);
      const [k, v] = [one(keys), one(values)];
      const rank = q.shape.length;
      const between = Array.from({ length: rank - 3 }, (_, axis) => axis + 1); // the axes of heads
      const padding = maskOf(value) ?? maskOf(key);
      const masks = [
        ...(useCausalMask ? [emit.constant(causalMask(Number(query.shape[1]), Number(value.shape[1])))] : []),
        ...(padding ? [emit.op("Unsqueeze", [padding, emit.ints([...between, rank - 2])])] : []),
        ...(mask ? [mask.shape.length === 2 ? mask : emit.op("Unsqueeze", [mask, emit.ints(between)])] : []),
      ];
      const seen = attend(emit, { query: q, key: k, value: v, masks, scale: 1 / Math.sqrt(keySize), dropout });
      // [batch, ...heads, places, size] -> [batch, places, heads * size]
      const joined = emit.op("Transpose", [seen], { perm: [0, rank - 2, ...between, rank - 1] });
      const flat = emit.op("Reshape", [joined, emit.ints([0, Number(query.shape[1]), queryHeads * valueSize])]);
      const units = outputSize ?? Number(query.shape[2]);
      return projected(context, { name: "attention_output", x: flat, units, kernel, bias: b });
    },
  };
}

/** Which input is what; a bool one is the mask. */
function rolesOf(query: Value, others: readonly Value[], fail: LayerContext["fail"]): { value: Value; key: Value; mask: Value | undefined } {
  const last = others.at(-1);
  const mask = last?.dtype === "bool" ? last : undefined;
  const [value = query, key = value, ...more] = mask ? others.slice(0, -1) : others;
  if (more.length > 0) return fail("takes query, value, key and a bool mask");
  for (const [name, x] of Object.entries({ query, value, key })) {
    if (x.shape.length !== 3 || sizeOf(x, 1) === undefined || sizeOf(x, 2) === undefined) {
      return fail(`takes sequences [batch, places, size], but the ${name} is ${formatShape(x.shape)}`);
    }
  }
  if (value.shape[1] !== key.shape[1]) return fail(`value and key must have one length, not ${value.shape[1]} and ${key.shape[1]}`);
  const expected = formatShape([query.shape[1] ?? 1, value.shape[1] ?? 1]);
  if (
    mask &&
    (formatShape(mask.shape.slice(-2)) !== expected || mask.shape.length > 3 || (mask.shape.length === 3 && mask.shape[0] !== query.shape[0]))
  ) {
    return fail(`the mask must be ${formatShape(["batch", query.shape[1] ?? 1, value.shape[1] ?? 1])}, not ${formatShape(mask.shape)}`);
  }
  return { value, key, mask };
}

interface Projection {
  readonly name: string;
  readonly x: Value;
  readonly units: number;
  readonly kernel: Weight;
  readonly bias: Weight | undefined;
}

/** x [batch, places, inputs] to [batch, places, units]. The fans are those of the whole matrix: Keras's, taken of one head, start far too small. */
function projected({ emit, parameter }: LayerContext, { name, x, units, kernel, bias }: Projection): Value {
  const product = emit.op("MatMul", [x, parameter(`${name}/kernel`, [Number(x.shape[2]), units], kernel.options)]);
  return bias === undefined ? product : emit.op("Add", [product, parameter(`${name}/bias`, [units], bias.options)]);
}

/** [batch, places, heads * size] to [batch, heads, places, size]. */
function byHead(emit: Emitter, x: Value, heads: number): Value {
  const [places, size] = [Number(x.shape[1]), Number(x.shape[2]) / heads];
  return emit.op("Transpose", [emit.op("Reshape", [x, emit.ints([0, places, heads, size])])], { perm: [0, 2, 1, 3] });
}
