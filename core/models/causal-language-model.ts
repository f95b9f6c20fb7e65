import { dense, dropout, layerNormalization, Network, tokenAndPositionEmbedding } from "../layers/index.ts";
import type { Model } from "./model.ts";
import { tokenInitializer } from "./text-transformer.ts";
import { transformerBlock } from "./transformer-block.ts";

/** What a language model is made of. */
export interface CausalLanguageModelOptions {
  /** The token input's name. Default `tokens`. */
  readonly input?: string;
  readonly vocabulary: number;
  /** The longest text that it sees at once, in tokens. */
  readonly length: number;
  readonly width?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/**
 * Predicts the next token at every place: tokens int32 [batch, length] -> `logits` [batch, length, vocabulary]; a place sees none after it.
 *
 * The plan of GPT-2, with weights of the last layer of its own. Train with labels that are the tokens moved by one; `generate` samples from it.
 *
 * @throws ARGUMENT_INVALID
 * @see A. Radford et al., Language models are unsupervised multitask learners (2019)
 */
export function causalLanguageModel({
  input = "tokens",
  vocabulary,
  length,
  width = 128,
  layers = 4,
  heads = 4,
  dropoutRate = 0.1,
  seed = 0,
}: CausalLanguageModelOptions): Model {
  const network = new Network("causal-language-model", { seed });
  const tokens = network.input(input, [length], { dtype: "int32" });
  const vectors = tokenAndPositionEmbedding({
    vocabularySize: vocabulary,
    sequenceLength: length,
    embeddingDim: width,
    embeddingsInitializer: tokenInitializer,
    name: "embedding",
  });
  let x = network.apply(vectors, tokens);
  if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate, name: "embedding_dropout" }), x);
  for (let i = 1; i <= layers; i += 1) x = network.apply(transformerBlock({ heads, dropoutRate, causal: true, name: `block${i}` }), x);
  x = network.apply(layerNormalization({ epsilon: 1e-5, name: "norm" }), x);
  network.output("logits", network.apply(dense({ units: vocabulary, useBias: false, name: "head" }), x));
  return network.build({ name: "causal-language-model", vocabulary, length, width, layers, heads, dropoutRate, seed });
}
