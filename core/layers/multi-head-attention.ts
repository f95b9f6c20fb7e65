import { EspalierError } from "../errors.ts";
import { formatShape } from "../graph/graph.ts";
import type { Value } from "../operators/operator.ts";
import type { Regularizer } from "../training/regularizer.ts";
import { penalized } from "./activity-regularization.ts";
import { checkNumber, checkSize, sizeOf } from "./argument.ts";
import { attend } from "./attend.ts";
import { described, named, type Layer, type LayerContext, type LayerName } from "./layer.ts";
import { checkRotary, rotate, type RotaryOptions } from "./rotary.ts";
import { weight, type Weight, type WeightArguments } from "./weight.ts";

/** What both attentions take. */
interface Common extends LayerName, WeightArguments<"kernel">, WeightArguments<"bias"> {
  /** Of the attention's weights, in training. Default 0. */
  readonly dropout?: number;
  readonly useBias?: boolean;
  /** Whether a query sees no later place. Default false. */
  readonly useCausalMask?: boolean;
  /** Turns queries and keys by their places (rotary position embedding); true for the standard wavelength. Default not. */
  readonly rotary?: RotaryOptions | boolean | undefined;
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

function attention(
  { dropout = 0, useBias = true, useCausalMask = false, rotary: turning = false, ...rest }: Common,
  { where, kind, sizes, config }: Which,
): Layer {
  checkNumber(where, "dropout", dropout, { from: 0, below: 1 });
  const { queryHeads, heads, keySize, valueSize, outputSize } = sizes;
  const rotary = turning === false ? undefined : checkRotary(where, turning === true ? {} : turning, keySize);
  const kernel = weight(where, "kernel", rest, "glorotUniform");
  const bias = weight(where, "bias", rest, "zeros");
  const { activityRegularizer } = named(rest);
  const isOfOutput = kind === "GroupQueryAttention";
  const written = {
    ...config,
    dropout,
    useBias,
    ...(activityRegularizer && { activityRegularizer }),
    ...kernel.config,
    ...bias.config,
    ...(useCausalMask && { useCausalMask }),
    ...(rotary && { rotary }),
  };
  return {
    // Keras's penalises the projections; GroupQueryAttention's penalises its output once more.
    ...described(kind, isOfOutput ? rest : { ...rest, activityRegularizer: undefined }, written),
    merges: true,
    passesMask: true,
    apply(context, query, ...others) {
      const { emit, maskOf, fail } = context;
      const { value, key, mask } = rolesOf(query, others, fail);
      const b = useBias ? bias : undefined;
      const project = (role: string, x: Value, units: number): Value =>
        projected(context, { name: role, x, units, kernel, bias: b, activityRegularizer });
      const turn = (x: Value, count: number): Value => (rotary ? rotate(emit, x, { ...rotary, heads: count }) : x);
      const seen = attend(emit, {
        query: turn(project("query", query, queryHeads * keySize), queryHeads),
        key: turn(project("key", key, heads * keySize), heads),
        value: project("value", value, heads * valueSize),
        queryHeads,
        heads,
        isCausal: useCausalMask,
        padding: maskOf(value) ?? maskOf(key),
        mask,
        dropout,
      });
      const units = outputSize ?? Number(query.shape[2]);
      return projected(context, { name: "attention_output", x: seen, units, kernel, bias: b, activityRegularizer });
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
  readonly activityRegularizer: Regularizer | undefined;
}

/** x [batch, places, inputs] to [batch, places, units]. The fans are those of the whole matrix: Keras's, taken of one head, start far too small. */
function projected({ emit, parameter }: LayerContext, { name, x, units, kernel, bias, activityRegularizer }: Projection): Value {
  const product = emit.op("MatMul", [x, parameter(`${name}/kernel`, [Number(x.shape[2]), units], kernel.options)]);
  const sum = bias === undefined ? product : emit.op("Add", [product, parameter(`${name}/bias`, [units], bias.options)]);
  return penalized(emit, activityRegularizer, sum);
}
