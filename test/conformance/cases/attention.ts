import { f32, weight, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const bool = (shape: InputSpec["shape"], values: readonly number[]): InputSpec => ({ dtype: "bool", shape, draw: { values } });
/** True at the first place of every row at least, whatever the batch. */
const seen = [1, 0, 1, 1, 1, 0];

/** Attention over a few places, and rotary embeddings. */
export const attentionSpecs: readonly OperatorSpec[] = [
  attention("two heads", { q: [2, 3, 4], k: [2, 5, 4], v: [2, 5, 3] }),
  attention("one place, one head", { q: [1, 1, 2], k: [1, 1, 2], v: [1, 1, 2] }),
  attention("causal, another scale", { q: [2, 4, 3], k: [2, 4, 3], v: [2, 4, 3], attributes: { is_causal: 1, scale: 0.7 } }),
  attention("causal, more queries than keys, a bool mask", {
    q: [1, 4, 2],
    k: [1, 3, 2],
    v: [1, 3, 2],
    mask: bool([4, 3], [1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 0]),
    attributes: { is_causal: 1 },
  }),
  attention("a mask that is added", { q: [2, 3, 4], k: [2, 5, 4], v: [2, 5, 4], mask: f32(["batch", 1, 3, 5]) }),
  attention("a bool mask of the keys, softcap", {
    q: [2, 2, 3],
    k: [2, 3, 3],
    v: [2, 3, 2],
    mask: bool(["batch", 1, 1, 3], seen),
    attributes: { softcap: 0.8 },
  }),
  attention("4 heads share 2 of keys, causal", { q: [4, 3, 2], k: [2, 3, 2], v: [2, 3, 4], attributes: { is_causal: 1 } }),
  attention("three axes, 2 heads", { q: [3, 8], k: [5, 8], v: [5, 6], attributes: { q_num_heads: 2, kv_num_heads: 2 } }),
  attention("three axes, 6 heads share 2 of keys", { q: [3, 12], k: [4, 4], v: [4, 6], attributes: { q_num_heads: 6, kv_num_heads: 2 } }),
  {
    ...attention("behind a past, causal", { q: [2, 2, 3], k: [2, 2, 3], v: [2, 2, 4], attributes: { is_causal: 1 } }),
    inputs: [
      ...[
        [2, 2, 3],
        [2, 2, 3],
        [2, 2, 4],
      ].map((shape) => f32(["batch", ...shape])),
      undefined,
      f32(["batch", 2, 3, 3]),
      f32(["batch", 2, 3, 4]),
    ],
    outputs: 3,
  },
  attention("a row that sees nothing, by bools", {
    q: [2, 2, 3],
    k: [2, 3, 3],
    v: [2, 3, 2],
    mask: { dtype: "bool", shape: ["batch", 1, 2, 3], draw: { values: [0, 0, 0, 1, 0, 1] } },
  }),
  {
    ...attention("a row that sees nothing, by -Infinity beside a causal mask", {
      q: [2, 2, 3],
      k: [1, 2, 3],
      v: [1, 2, 2],
      mask: { dtype: "float32", shape: [2, 2], draw: { values: [-Infinity, 3, -0.5, -Infinity] } },
      attributes: { is_causal: 1 },
    }),
    gradients: [0, 1, 2],
  },
  rotary("halves", { x: [2, 3, 4], cache: [1, 3, 2] }),
  rotary("neighbours", { x: [2, 3, 4], cache: [1, 3, 2], attributes: { interleaved: 1 } }),
  rotary("three axes, a part of the features", { x: [3, 12], cache: ["batch", 3, 2], attributes: { num_heads: 2, rotary_embedding_dim: 4 } }),
  rotary("neighbours of a part, by positions", {
    x: [2, 3, 6],
    cache: [7, 2],
    positions: { dtype: "int64", shape: ["batch", 3], draw: { integers: [0, 7] } },
    attributes: { interleaved: 1, rotary_embedding_dim: 4 },
  }),
];

interface AttentionShapes {
  /** All without the batch. */
  readonly q: readonly number[];
  readonly k: readonly number[];
  readonly v: readonly number[];
  readonly mask?: InputSpec;
  readonly attributes?: NonNullable<OperatorSpec["attributes"]>;
}

function attention(about: string, { q, k, v, mask, attributes = {} }: AttentionShapes): OperatorSpec {
  const inputs = [q, k, v].map((shape) => f32(["batch", ...shape]));
  return { operator: "Attention", about, inputs: mask ? [...inputs, mask] : inputs, attributes };
}

interface RotaryShapes {
  readonly x: readonly number[];
  readonly cache: InputSpec["shape"];
  readonly positions?: InputSpec;
  readonly attributes?: NonNullable<OperatorSpec["attributes"]>;
}

function rotary(about: string, { x, cache, positions, attributes = {} }: RotaryShapes): OperatorSpec {
  const caches = cache.includes("batch") ? [f32(cache), f32(cache)] : [weight(cache.map(Number)), weight(cache.map(Number))];
  return { operator: "RotaryEmbedding", about, inputs: [f32(["batch", ...x]), ...caches, ...(positions ? [positions] : [])], attributes };
}
