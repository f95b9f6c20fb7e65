import { attentionSizes, elementCount, rotarySizes, scaleOf } from "../../../core/index.ts";
import { broadcastTo, stridedIndices, stridesOf, take } from "../indices.ts";
import { memoryFor, numbersOf, required, tensorOf, type KernelFactory, type NumericTensor } from "../kernel.ts";

/** Attention and what gives it a sense of place. Sums are in double precision. */
export const attentionKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__Attention.html */
  Attention: (context) => (inputs) => {
    const [q, k, v] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
    const sizes = attentionSizes(inputs, context.attributes);
    const { heads, keyHeads, queries, keys, past, size, valueSize } = sizes;
    const batch = q.shape[0]!;
    const [scale, cap, isCausal] = [
      scaleOf(context.attributes, sizes),
      context.attributes.float("softcap"),
      context.attributes.int("is_causal") === 1,
    ];
    const [query, key, value] = [headsOf(q, heads), withPast(headsOf(k, keyHeads), inputs[4]), withPast(headsOf(v, keyHeads), inputs[5])];
    const [qs, ks, vs] = [numbersOf(query), numbersOf(key), numbersOf(value)];
    const mask = inputs[3] && numbersOf(broadcastTo(inputs[3], [batch, heads, queries, keys]));
    const isBool = inputs[3]?.dtype === "bool";
    const out = memoryFor(q.dtype, batch * heads * queries * valueSize);
    for (let row = 0; row < batch * heads * queries; row += 1) {
      const [head, place] = [Math.floor(row / queries), row % queries];
      const shared = Math.floor(head / heads) * keyHeads + Math.floor((head % heads) / (heads / keyHeads));
      const scores = Array.from({ length: keys }, (_, j) => {
        let sum = 0;
        for (let i = 0; i < size; i += 1) sum += qs[row * size + i]! * ks[(shared * keys + j) * size + i]!;
        const score = cap > 0 ? cap * Math.tanh((sum * scale) / cap) : sum * scale;
        const isHidden = (isCausal && j > place + past) || (isBool && mask?.[row * keys + j] === 0);
        return isHidden ? -Infinity : score + (isBool ? 0 : (mask?.[row * keys + j] ?? 0));
      });
      const largest = Math.max(...scores);
      if (largest === -Infinity) continue; // nothing to see: 0
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((a, b) => a + b, 0);
      for (let i = 0; i < valueSize; i += 1) {
        out[row * valueSize + i] = weights.reduce((sum, weight, j) => sum + weight * vs[(shared * keys + j) * valueSize + i]!, 0) / total;
      }
    }
    const y = tensorOf(q.dtype, [batch, heads, queries, valueSize], out);
    return [q.shape.length === 4 ? y : flatOf(y), key, value].slice(0, context.outputTypes.length);
  },

  /** @see https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html */
  RotaryEmbedding: ({ attributes, fail }) => {
    const heads = attributes.int("num_heads");
    const isInterleaved = attributes.int("interleaved") === 1;
    return (inputs) => {
      const [x, cos, sin] = [required(inputs, 0), numbersOf(required(inputs, 1)), numbersOf(required(inputs, 2))];
      const { size, turned } = rotarySizes(x.shape, { heads, dim: attributes.int("rotary_embedding_dim") });
      const half = turned / 2;
      const [batch, length, source] = [x.shape[0]!, x.shape.at(-2)!, numbersOf(x)];
      const out = source.slice();
      const places = inputs[3] && numbersOf(inputs[3]);
      const rows = required(inputs, 1).shape[0]!;
      for (let vector = 0; vector < source.length / size; vector += 1) {
        const row = Math.floor((vector * size) / elementCount(x.shape.slice(1)));
        const at = x.shape.length === 4 ? vector % length : Math.floor(vector / heads) % length;
        const place = places ? places[row * length + at]! : (rows === batch ? row : 0) * length + at;
        if (places && (place < 0 || place >= rows)) fail(`position ${place} is outside the ${rows} places of the caches`);
        for (let i = 0; i < half; i += 1) {
          const [first, second] = isInterleaved ? [2 * i, 2 * i + 1] : [i, i + half];
          const [a, b, c, s] = [source[vector * size + first]!, source[vector * size + second]!, cos[place * half + i]!, sin[place * half + i]!];
          out[vector * size + first] = c * a - s * b;
          out[vector * size + second] = s * a + c * b;
        }
      }
      return [tensorOf(x.dtype, x.shape, out)];
    };
  },
};

/** [batch, length, heads * size] as [batch, heads, length, size]; four axes stay. */
function headsOf(value: NumericTensor, heads: number): NumericTensor {
  if (value.shape.length === 4) return value;
  const [batch = 1, length = 1, width = 1] = value.shape;
  return swapped({ ...value, shape: [batch, length, heads, width / heads] });
}

function flatOf(value: NumericTensor): NumericTensor {
  const turned = swapped(value);
  return { ...turned, shape: [...turned.shape.slice(0, 2), elementCount(turned.shape.slice(2))] };
}

/** With axes 1 and 2 exchanged. */
function swapped(value: NumericTensor): NumericTensor {
  const [a, b, c, ...rest] = value.shape as [number, number, number]; // four axes were made above
  const [stepA, stepB, stepC, ...stepRest] = stridesOf(value.shape) as [number, number, number];
  const shape = [a, c, b, ...rest];
  return take(value, shape, stridedIndices(shape, [stepA, stepC, stepB, ...stepRest]));
}

/** [batch, heads, length, size] behind the past of the same heads. */
function withPast(value: NumericTensor, past: NumericTensor | undefined): NumericTensor {
  if (past === undefined) return value;
  const [batch = 1, heads = 1, length = 1, size = 1] = value.shape;
  const before = past.shape[2]!;
  const [older, newer] = [numbersOf(past), numbersOf(value)];
  const out = memoryFor(value.dtype, older.length + newer.length);
  for (let head = 0; head < batch * heads; head += 1) {
    out.set(older.subarray(head * before * size, (head + 1) * before * size), head * (before + length) * size);
    out.set(newer.subarray(head * length * size, (head + 1) * length * size), (head * (before + length) + before) * size);
  }
  return tensorOf(value.dtype, [batch, heads, before + length, size], out);
}
