import { EspalierError } from "../errors.ts";
import { concatenate, dense, embedding, flatten, Network, type Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import type { Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";

/** What a recommendation model is made of. */
export interface DlrmOptions {
  /** Numbers of a row: the width of the input `numbers`. */
  readonly numbers: number;
  /** How many values each category has: one int32 column of the input `categories` each, from 0. */
  readonly categories: readonly number[];
  readonly head: Head;
  /** Numbers that stand for one category; the bottom layers end in as many. */
  readonly width?: number;
  /** Units of the layers under the interaction, before the last. */
  readonly bottom?: readonly number[];
  /** Units of the layers over the interaction. */
  readonly top?: readonly number[];
  readonly seed?: number;
}

/**
 * DLRM: numbers through dense layers, categories through embeddings, the products of all pairs of them, dense layers over these.
 *
 * Inputs: `numbers` float32 [batch, numbers] and `categories` int32 [batch, categories].
 *
 * @throws ARGUMENT_INVALID without numbers or categories
 * @see M. Naumov et al., Deep learning recommendation model for personalization and recommendation systems (2019), https://arxiv.org/abs/1906.00091
 */
export function dlrm({ numbers, categories, head, width = 16, bottom = [64, 32], top = [64, 32], seed = 0 }: DlrmOptions): Model {
  if (!Number.isSafeInteger(numbers) || numbers < 1 || categories.length === 0) {
    throw new EspalierError("ARGUMENT_INVALID", `dlrm: takes at least one number and one category, not ${numbers} and ${categories.length}`, {
      numbers,
      categories,
    });
  }
  const { units, output } = headUnits(head);
  const network = new Network("dlrm", { seed });
  const layers = (name: string, sizes: readonly number[], start: Value): Value =>
    sizes.reduce((x, size, i) => {
      return network.apply(dense({ units: size, activation: "relu", kernelInitializer: "heNormal", name: `${name}${i + 1}` }), x);
    }, start);
  const lowest = layers("bottom", [...bottom, width], network.input("numbers", [numbers]));
  const places = network.input("categories", [categories.length], { dtype: "int32" });
  const embedded = categories.map((count, i) => {
    const place = network.apply(oneColumn(i, { name: `category${i + 1}` }), places);
    const vectors = embedding({ inputDim: count, outputDim: width, name: `embedding${i + 1}` });
    return network.apply(flatten({ name: `vector${i + 1}` }), network.apply(vectors, place));
  });
  const products = network.apply(pairProducts({ name: "interaction" }), lowest, ...embedded);
  const joined = network.apply(concatenate({ name: "joined" }), lowest, products);
  network.output(output, network.apply(dense({ units, name: "head" }), layers("top", top, joined)));
  return network.build({ name: "dlrm", numbers, categories, width, bottom, top, units, seed });
}

/** One of the columns: [batch, n] -> [batch, 1]. */
function oneColumn(index: number, common: LayerName): Layer {
  return {
    kind: "Column",
    ...named(common),
    config: { index },
    apply: ({ emit }, x) => emit.op("Slice", [x, emit.ints([index]), emit.ints([index + 1]), emit.ints([1])]),
  };
}

/** The product of each pair of vectors: n times [batch, width] -> [batch, n (n - 1) / 2]. */
function pairProducts(common: LayerName): Layer {
  return {
    kind: "PairProducts",
    ...named(common),
    config: {},
    merges: true,
    apply({ emit }, ...vectors) {
      const n = vectors.length;
      const rows = vectors.map((vector) => emit.op("Unsqueeze", [vector, emit.ints([1])]));
      const table = emit.op("Concat", rows, { axis: 1 }); // [batch, n, width]
      const products = emit.op("MatMul", [table, emit.op("Transpose", [table], { perm: [0, 2, 1] })]); // [batch, n, n]
      const pairs = Array.from({ length: n * n }, (_, i) => i).filter((i) => i % n < Math.floor(i / n)); // below the diagonal
      const flat = emit.op("Flatten", [products], { axis: 1 });
      return emit.op("Gather", [flat, emit.constant(tensor("int64", [pairs.length], pairs))], { axis: 1 });
    },
  };
}
