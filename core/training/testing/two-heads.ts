import { GraphBuilder } from "../../graph/builder.ts";
import type { Model } from "../../models/model.ts";
import { Random } from "../../random.ts";
import { tensor, toNumbers, type Tensors } from "../../tensor.ts";

/** One hidden layer with two heads: `species` [batch, 3], logits, and `weight` [batch, 1], a quantity. */
export function twoHeads({ seed = 1 }: { readonly seed?: number } = {}): Model {
  const b = new GraphBuilder("two-heads");
  const random = new Random(seed);
  const state: Record<string, Tensors[string]> = {};
  const weights = (name: string, rows: number, columns: number): ReturnType<typeof b.state> => {
    state[name] = tensor("float32", [rows, columns], random.normals(rows * columns, { standardDeviation: 0.5 }));
    return b.state(name, "float32", [rows, columns]);
  };
  const hidden = b.op("Tanh", [b.op("MatMul", [b.input("features", "float32", ["batch", 2]), weights("body", 2, 8)])]);
  b.output("species", b.op("MatMul", [hidden, weights("species/kernel", 8, 3)]));
  b.output("weight", b.op("MatMul", [hidden, weights("weight/kernel", 8, 1)]));
  return { graph: b.build(), state, config: {} };
}

/** Rows for it: the class by the largest of three sums, the quantity a smooth function of both features. */
export function twoLabels(rows: number, seed: number): Tensors {
  const features = new Random(seed).normals(rows * 2);
  const at = (row: number): readonly [number, number] => [features[2 * row] ?? 0, features[2 * row + 1] ?? 0];
  const kinds = Int32Array.from({ length: rows }, (_, row) => (at(row)[0] > 0 ? (at(row)[1] > 0 ? 0 : 1) : 2));
  const quantities = Float32Array.from({ length: rows }, (_, row) => Math.sin(at(row)[0]) + 0.5 * at(row)[1]);
  return {
    features: tensor("float32", [rows, 2], features),
    "labels/species": tensor("int32", [rows], kinds),
    "labels/weight": tensor("float32", [rows, 1], quantities),
  };
}

/** Some rows of tensors. */
export function rowsOf(tensors: Tensors, rows: readonly number[]): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, value]) => {
      const size = value.data.length / (value.shape[0] ?? 1);
      const all = toNumbers(value);
      return [
        name,
        tensor(
          value.dtype,
          [rows.length, ...value.shape.slice(1)],
          rows.flatMap((row) => all.slice(row * size, (row + 1) * size)),
        ),
      ];
    }),
  );
}
