import { add, concatenate, dense, dropout, flatten, Network } from "../layers/index.ts";
import type { Value } from "../operators/operator.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";
import { placeBlocks, type TableBlock } from "./table-blocks.ts";
import { tableColumns, tableTokens } from "./table-tokens.ts";

/** What a wide and deep network is made of. */
export interface WideAndDeepOptions {
  /** The blocks of the input `features`, in its order. */
  readonly blocks: readonly TableBlock[];
  readonly head: Head;
  /** Numbers that stand for one category in the deep part. */
  readonly width?: number;
  /** Units of the deep part's dense layers. */
  readonly hidden?: readonly number[];
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/**
 * Wide and deep: a linear model of all columns beside dense layers over the embedded categories and the numbers; their sums are the answer.
 *
 * @throws ARGUMENT_INVALID
 * @see H.-T. Cheng et al., Wide & deep learning for recommender systems (2016), https://arxiv.org/abs/1606.07792
 */
export function wideAndDeep({ blocks, head, width = 16, hidden = [128, 64], dropoutRate = 0, seed = 0 }: WideAndDeepOptions): Model {
  const { units, output } = headUnits(head);
  const table = placeBlocks("wideAndDeep", blocks);
  const categories = table.placed.filter(({ kind }) => kind === "category");
  const numbers = table.placed.filter(({ kind }) => kind === "number");
  const network = new Network("wide-and-deep", { seed });
  const features = network.input("features", [table.width]);
  const wide = network.apply(dense({ units, useBias: false, kernelInitializer: "zeros", name: "wide" }), features);
  const parts: Value[] = [];
  if (numbers.length > 0) parts.push(network.apply(tableColumns({ blocks: numbers, name: "numbers" }), features));
  if (categories.length > 0) {
    const embedded = network.apply(tableTokens({ blocks: categories, width, useBias: false, name: "embedding" }), features);
    parts.push(network.apply(flatten({ name: "embedded" }), embedded));
  }
  const [first, ...others] = parts;
  let x = others.length === 0 ? first! : network.apply(concatenate({ name: "joined" }), first!, ...others); // there is one block at least
  for (const [i, size] of hidden.entries()) {
    x = network.apply(dense({ units: size, activation: "relu", kernelInitializer: "heNormal", name: `deep${i + 1}` }), x);
    if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate, name: `deep${i + 1}_dropout` }), x);
  }
  const deep = network.apply(dense({ units, name: "head" }), x);
  network.output(output, network.apply(add({ name: "sum" }), wide, deep));
  return network.build({ name: "wide-and-deep", blocks, width, hidden, dropoutRate, units, seed });
}
