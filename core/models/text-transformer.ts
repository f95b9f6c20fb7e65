import { EspalierError } from "../errors.ts";
import {
  concatenate,
  dense,
  dropout,
  globalAveragePooling1D,
  layerNormalization,
  Network,
  tokenAndPositionEmbedding,
  type Initializer,
} from "../layers/index.ts";
import type { Value } from "../operators/operator.ts";
import type { TokenInput } from "./deep-averaging.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";
import { transformerBlock } from "./transformer-block.ts";

/** How large a transformer over text is. */
interface EncoderSizes {
  /** Numbers of a token. Default 64. */
  readonly width?: number;
  /** Blocks of attention. Default 2. */
  readonly layers?: number;
  readonly heads?: number;
  /** Units between the two dense layers of a block; default four times the width. */
  readonly hidden?: number;
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/** What a transformer over texts is made of. */
export interface TextTransformerOptions extends EncoderSizes {
  readonly texts: readonly TokenInput[];
  /** Numbers beside the texts: the width of the input `features`, 0 when there are none. Default 0. */
  readonly features?: number;
  readonly head: Head;
}

/** What an encoder is made of. */
export interface TextEncoderOptions extends EncoderSizes, TokenInput {}

/**
 * Classifies (or rates) texts: for each, blocks of attention over its tokens int32 [batch, maxLength] and the mean over those that are no padding; joined with the other
 * features, one dense layer.
 *
 * @throws ARGUMENT_INVALID without a text
 * @see J. Devlin et al., BERT: pre-training of deep bidirectional transformers (2019), https://arxiv.org/abs/1810.04805
 */
export function textTransformer({ texts, features = 0, head, seed = 0, ...given }: TextTransformerOptions): Model {
  if (texts.length === 0) throw new EspalierError("ARGUMENT_INVALID", "textTransformer: there is no text input; give one or more");
  const { units, output } = headUnits(head);
  const network = new Network("text-transformer", { seed });
  const sizes = withDefaults(given);
  const parts = texts.map((text) => meanOf(network, `${text.input}_`, encode(network, `${text.input}_`, { ...text, ...sizes })));
  if (features > 0) parts.push(network.input("features", [features]));
  const [first, ...others] = parts as [Value, ...Value[]]; // there is a text
  let x = others.length === 0 ? first : network.apply(concatenate({ name: "joined" }), first, ...others);
  if (sizes.dropoutRate > 0) x = network.apply(dropout({ rate: sizes.dropoutRate, name: "head_dropout" }), x);
  network.output(output, network.apply(dense({ units, name: "head" }), x));
  return network.build({ name: "text-transformer", texts, features, ...sizes, units, seed });
}

/**
 * Encodes a text: tokens int32 [batch, maxLength] -> `encoded` [batch, maxLength, width], and `embedding` [batch, width], their mean without the padding.
 *
 * @throws ARGUMENT_INVALID
 */
export function textEncoder({ input, vocabulary, maxLength, seed = 0, ...given }: TextEncoderOptions): Model {
  const network = new Network("text-encoder", { seed });
  const sizes = withDefaults(given);
  const encoded = encode(network, "", { input, vocabulary, maxLength, ...sizes });
  network.output("encoded", encoded);
  network.output("embedding", meanOf(network, "", encoded));
  return network.build({ name: "text-encoder", input, vocabulary, maxLength, ...sizes, seed });
}

/** A normal distribution of standard deviation 0.02, as in BERT and GPT-2. */
export const tokenInitializer: Initializer = { kind: "randomNormal", stddev: 0.02 };

type Sizes = Required<Omit<EncoderSizes, "seed">>;

function withDefaults({ width = 64, layers = 2, heads = 4, hidden = 4 * width, dropoutRate = 0.1 }: EncoderSizes): Sizes {
  return { width, layers, heads, hidden, dropoutRate };
}

/** Tokens to vectors [batch, maxLength, width], with a mask of the padding. */
function encode(
  network: Network,
  prefix: string,
  { input, vocabulary, maxLength, width, layers, heads, hidden, dropoutRate }: TokenInput & Sizes,
): Value {
  const tokens = network.input(input, [maxLength], { dtype: "int32" });
  const vectors = tokenAndPositionEmbedding({
    vocabularySize: vocabulary,
    sequenceLength: maxLength,
    embeddingDim: width,
    maskZero: true,
    embeddingsInitializer: tokenInitializer,
    name: `${prefix}embedding`,
  });
  let x = network.apply(vectors, tokens);
  if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate, name: `${prefix}embedding_dropout` }), x);
  for (let i = 1; i <= layers; i += 1) x = network.apply(transformerBlock({ heads, hidden, dropoutRate, name: `${prefix}block${i}` }), x);
  return network.apply(layerNormalization({ epsilon: 1e-5, name: `${prefix}norm` }), x);
}

function meanOf(network: Network, prefix: string, encoded: Value): Value {
  return network.apply(globalAveragePooling1D({ dataFormat: "channels_last", name: `${prefix}pool` }), encoded);
}
