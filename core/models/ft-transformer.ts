import { activation, dense, layerNormalization, Network } from "../layers/index.ts";
import { answerToken, firstToken } from "./answer-token.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";
import { placeBlocks, type TableBlock } from "./table-blocks.ts";
import { tableTokens } from "./table-tokens.ts";
import { transformerBlock } from "./transformer-block.ts";

/** What a feature-tokenising transformer is made of. */
export interface FtTransformerOptions {
  /** The blocks of the input `features`, in its order. */
  readonly blocks: readonly TableBlock[];
  readonly head: Head;
  readonly width?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/**
 * FT-Transformer for tables: each feature becomes a token, one more token gathers the answer. The paper's own size is a width of 192.
 *
 * @throws ARGUMENT_INVALID
 * @see Y. Gorishniy et al., Revisiting deep learning models for tabular data (2021), https://arxiv.org/abs/2106.11959
 */
export function ftTransformer({ blocks, head, width = 64, layers = 3, heads = 8, dropoutRate = 0.1, seed = 0 }: FtTransformerOptions): Model {
  const { units, output } = headUnits(head);
  const table = placeBlocks("ftTransformer", blocks);
  const network = new Network("ft-transformer", { seed });
  const tokens = network.apply(tableTokens({ blocks: table.placed, width, name: "tokens" }), network.input("features", [table.width]));
  let x = network.apply(answerToken({ name: "answer" }), tokens);
  for (let i = 1; i <= layers; i += 1) {
    // The paper's block: ReGLU between the dense layers, and nothing normalised before the first attention.
    const block = { heads, hidden: Math.floor((4 / 3) * width), activation: "relu", gated: true, attentionNorm: i > 1, dropoutRate } as const;
    x = network.apply(transformerBlock({ ...block, name: `block${i}` }), x);
  }
  x = network.apply(firstToken({ name: "pool" }), x);
  x = network.apply(activation({ activation: "relu", name: "head_relu" }), network.apply(layerNormalization({ epsilon: 1e-5, name: "norm" }), x));
  network.output(output, network.apply(dense({ units, name: "head" }), x));
  return network.build({ name: "ft-transformer", blocks, width, layers, heads, dropoutRate, units, seed });
}
