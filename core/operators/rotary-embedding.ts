import { formatShape, type Dimension } from "../graph/graph.ts";
import { reshape } from "./gradients.ts";
import type { InferContext, LowerContext, Operator, Value } from "./operator.ts";
import { alike, floatTypes, staticSizes, typed } from "./shapes.ts";

/**
 * Rotary position embedding: pairs of X's features turned by an angle of their place; inputs X, cos_cache, sin_cache, position_ids.
 *
 * X is [batch, heads, length, size], or [batch, length, heads * size] with `num_heads`. The caches are [places, half] with position_ids [batch, length],
 * else [batch, length, half], where a batch of 1 serves all rows. `rotary_embedding_dim` features are turned (0: all), paired as halves or, with
 * `interleaved`, as neighbours. Its gradient goes through its lowering.
 * @see https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html
 * @see J. Su et al., RoFormer: enhanced transformer with rotary position embedding (2021)
 */
export const rotaryEmbedding: Operator = {
  name: "RotaryEmbedding",
  domain: "",
  opset: 23,
  inputs: [3, 4],
  outputs: [1, 1],
  attributes: {
    interleaved: { kind: "int", default: 0 },
    num_heads: { kind: "int", default: 0 },
    rotary_embedding_dim: { kind: "int", default: 0 },
  },
  infer(context) {
    const { attributes, fail, inputs } = context;
    const [x = context.input(0)] = alike(context, [0, 1, 2], floatTypes);
    const rank = x.shape.length;
    if (rank !== 3 && rank !== 4) fail(`X must be [batch, heads, length, size] or [batch, length, heads * size], not ${formatShape(x.shape)}`);
    staticSizes(context, x.shape.slice(1), "an axis after the batch");
    const heads = attributes.int("num_heads");
    if (rank === 3 && (heads < 1 || Number(x.shape[2]) % heads !== 0)) fail(`${x.shape[2]} features do not divide into num_heads ${heads}`);
    const { size, turned, length } = rotarySizes(x.shape, { heads, dim: attributes.int("rotary_embedding_dim") });
    if (turned < 0 || turned > size || turned % 2 !== 0) fail(`rotary_embedding_dim must be even and at most ${size}, not ${turned}`);
    checkCaches(context, { half: turned / 2, length });
    if (inputs[3]) typed(context, 3, ["int64"]);
    return [x];
  },
  lower,
};

/** The size of a head, how many of its features are turned, and the length of the sequence. */
export function rotarySizes(
  shape: readonly Dimension[],
  { heads, dim }: { readonly heads: number; readonly dim: number },
): { readonly size: number; readonly turned: number; readonly length: Dimension } {
  const size = shape.length === 4 ? Number(shape[3]) : Number(shape[2]) / heads;
  return { size, turned: dim === 0 ? size : dim, length: shape[shape.length - 2] ?? 1 };
}

function checkCaches(context: InferContext, { half, length }: { readonly half: number; readonly length: Dimension }): void {
  const { input, inputs, fail } = context;
  const [batch = 1] = input(0).shape;
  const ids = inputs[3];
  for (const [name, { shape }] of Object.entries({ cos_cache: input(1), sin_cache: input(2) })) {
    const expected = ids ? [shape[0] ?? 1, half] : [shape[0] === 1 ? 1 : batch, length, half];
    if (formatShape(shape) !== formatShape(expected))
      fail(`${name} must be ${ids ? `[places, ${half}]` : formatShape(expected)}, not ${formatShape(shape)}`);
  }
  const places = [batch, length];
  if (ids && formatShape(ids.shape) !== formatShape(places)) fail(`position_ids must be ${formatShape(places)}, not ${formatShape(ids.shape)}`);
}

function lower({ emit, input, inputs, attributes }: LowerContext): readonly Value[] {
  const heads = attributes.int("num_heads");
  const isFlat = input(0).shape.length === 3;
  const { size, turned } = rotarySizes(input(0).shape, { heads, dim: attributes.int("rotary_embedding_dim") });
  const x = isFlat ? reshape(emit, input(0), [...input(0).shape.slice(0, 2), heads, size]) : input(0);
  const angle = (cache: Value): Value => {
    const found = inputs[3] ? emit.op("Gather", [cache, inputs[3]]) : cache; // [batch, length, half]
    return emit.op("Unsqueeze", [found, emit.ints([isFlat ? 2 : 1])]);
  };
  const [cos, sin] = [angle(input(1)), angle(input(2))];
  const features = (first: number, end: number, step = 1): Value => {
    return emit.op("Slice", [x, emit.ints([first]), emit.ints([end]), emit.ints([-1]), emit.ints([step])]);
  };
  const isInterleaved = attributes.int("interleaved") === 1;
  const [a, b] = isInterleaved ? [features(0, turned, 2), features(1, turned, 2)] : [features(0, turned / 2), features(turned / 2, turned)];
  const real = emit.op("Sub", [emit.op("Mul", [cos, a]), emit.op("Mul", [sin, b])]);
  const imaginary = emit.op("Add", [emit.op("Mul", [sin, a]), emit.op("Mul", [cos, b])]);
  const rest = turned < size ? [features(turned, size)] : [];
  if (!isInterleaved) return [reshape(emit, emit.op("Concat", [real, imaginary, ...rest], { axis: -1 }), input(0).shape)];
  const pairs = [real, imaginary].map((value) => emit.op("Unsqueeze", [value, emit.ints([-1])]));
  const woven = reshape(emit, emit.op("Concat", pairs, { axis: -1 }), [...x.shape.slice(0, -1), turned]);
  return [reshape(emit, rest.length === 0 ? woven : emit.op("Concat", [woven, ...rest], { axis: -1 }), input(0).shape)];
}
