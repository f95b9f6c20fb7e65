import { concatenate, dense, flatten, layerNormalization, Network } from "../layers/index.ts";
import type { Value } from "../operators/operator.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";
import { placeBlocks, type TableBlock } from "./table-blocks.ts";
import { tableColumns, tableTokens } from "./table-tokens.ts";
import { transformerBlock } from "./transformer-block.ts";

/** What a TabTransformer is made of. */
export interface TabTransformerOptions {
  /** The blocks of the input `features`, in its order. */
  readonly blocks: readonly TableBlock[];
  readonly head: Head;
  readonly width?: number;
  readonly layers?: number;
  readonly heads?: number;
  /** Units of the dense layers after the blocks. */
  readonly hidden?: readonly number[];
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/**
 * TabTransformer: attention among the categories only; numbers join them, normalised, before the dense layers. A table without categories has dense layers alone.
 *
 * @throws ARGUMENT_INVALID
 * @see X. Huang et al., TabTransformer: tabular data modeling using contextual embeddings (2020), https://arxiv.org/abs/2012.06678
 */
export function tabTransformer({
  blocks,
  head,
  width = 32,
  layers = 3,
  heads = 4,
  hidden = [128, 64],
  dropoutRate = 0.1,
  seed = 0,
}: TabTransformerOptions): Model {
  const { units, output } = headUnits(head);
  const table = placeBlocks("tabTransformer", blocks);
  const categories = table.placed.filter(({ kind }) => kind === "category");
  const numbers = table.placed.filter(({ kind }) => kind === "number");
  const network = new Network("tab-transformer", { seed });
  const features = network.input("features", [table.width]);
  const parts: Value[] = [];
  if (categories.length > 0) {
    let x = network.apply(tableTokens({ blocks: categories, width, name: "tokens" }), features);
    for (let i = 1; i <= layers; i += 1) x = network.apply(transformerBlock({ heads, dropoutRate, name: `block${i}` }), x);
    parts.push(network.apply(flatten({ name: "contexts" }), x));
  }
  if (numbers.length > 0) {
    const columns = network.apply(tableColumns({ blocks: numbers, name: "numbers" }), features);
    parts.push(network.apply(layerNormalization({ epsilon: 1e-5, name: "numbers_norm" }), columns));
  }
  const [first, ...others] = parts;
  let x = others.length === 0 ? first! : network.apply(concatenate({ name: "joined" }), first!, ...others); // there is one block at least
  for (const [i, size] of hidden.entries())
    x = network.apply(dense({ units: size, activation: "relu", kernelInitializer: "heNormal", name: `dense${i + 1}` }), x);
  network.output(output, network.apply(dense({ units, name: "head" }), x));
  return network.build({ name: "tab-transformer", blocks, width, layers, heads, hidden, dropoutRate, units, seed });
}
