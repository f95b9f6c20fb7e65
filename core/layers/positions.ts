import type { Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { checkNumber, checkSize, sizeOf } from "./argument.ts";
import { embedding } from "./embedding.ts";
import { described, type Layer, type LayerContext, type LayerName } from "./layer.ts";
import { weight, type Weight, type WeightArguments } from "./weight.ts";

/** Arguments of KerasHub's PositionEmbedding. */
export interface PositionEmbeddingOptions extends LayerName, WeightArguments<"embeddings"> {
  /** The longest sequence. */
  readonly sequenceLength: number;
}

/**
 * A learned vector for each place of [batch, places, size], to be added to it: the same shape, whatever the input holds.
 *
 * Parameter `embeddings` [sequenceLength, size].
 *
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the input is no sequence or longer than `sequenceLength`
 * @see https://keras.io/keras_hub/api/modeling_layers/position_embedding/
 */
export function positionEmbedding({ sequenceLength, ...rest }: PositionEmbeddingOptions): Layer {
  checkSize("positionEmbedding", "sequenceLength", sequenceLength);
  const embeddings = weight("positionEmbedding", "embeddings", rest, "glorotUniform");
  return {
    ...described("PositionEmbedding", rest, { sequenceLength, ...embeddings.config }),
    passesMask: true,
    apply(context, x) {
      const { emit } = context;
      return emit.op("Expand", [learned(context, x, { name: "embeddings", sequenceLength, embeddings }), emit.op("Shape", [x])]);
    },
  };
}

/**
 * Sines and cosines of each place of [batch, places, size], to be added to it: the same shape, whatever the input holds.
 *
 * Feature 2i is sin(place / maxWavelength^(2i / size)), feature 2i + 1 the cosine.
 *
 * @param options.maxWavelength default 10000
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/keras_hub/api/modeling_layers/sine_position_encoding/
 * @see A. Vaswani et al., Attention is all you need (2017), section 3.5
 */
export function sinePositionEncoding({ maxWavelength = 10_000, ...common }: { readonly maxWavelength?: number } & LayerName = {}): Layer {
  checkNumber("sinePositionEncoding", "maxWavelength", maxWavelength, { above: 0 });
  return {
    ...described("SinePositionEncoding", common, { maxWavelength }),
    passesMask: true,
    apply({ emit, fail }, x) {
      const [places, size] = sequenceSizes(x, fail);
      const values = Array.from({ length: places * size }, (_, i) => {
        const [place, feature] = [Math.floor(i / size), i % size];
        const angle = place * maxWavelength ** (-(2 * Math.floor(feature / 2)) / size);
        return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
      });
      return emit.op("Expand", [emit.constant(tensor("float32", [1, places, size], values)), emit.op("Shape", [x])]);
    },
  };
}

/** Arguments of KerasHub's TokenAndPositionEmbedding. */
export interface TokenAndPositionEmbeddingOptions extends LayerName, WeightArguments<"embeddings"> {
  readonly vocabularySize: number;
  /** The longest sequence. */
  readonly sequenceLength: number;
  readonly embeddingDim: number;
  /** Whether 0 is padding. Default false. */
  readonly maskZero?: boolean;
}

/**
 * The sum of a learned vector for each token and one for its place: int32 [batch, places] -> [batch, places, embeddingDim].
 *
 * Parameters `token_embedding/embeddings` [vocabularySize, embeddingDim] and `position_embedding/embeddings` [sequenceLength, embeddingDim].
 *
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE unless the input is whole numbers [batch, places]
 * @see https://keras.io/keras_hub/api/modeling_layers/token_and_position_embedding/
 */
export function tokenAndPositionEmbedding({
  vocabularySize,
  sequenceLength,
  embeddingDim,
  maskZero = false,
  ...rest
}: TokenAndPositionEmbeddingOptions): Layer {
  const where = "tokenAndPositionEmbedding";
  for (const [name, size] of Object.entries({ vocabularySize, sequenceLength, embeddingDim })) checkSize(where, name, size);
  const embeddings = weight(where, "embeddings", rest, "uniform");
  const tokens = embedding({ inputDim: vocabularySize, outputDim: embeddingDim, maskZero, ...rest, name: "token_embedding" });
  return {
    ...described("TokenAndPositionEmbedding", rest, { vocabularySize, sequenceLength, embeddingDim, ...embeddings.config, maskZero }),
    apply(context, x) {
      const { emit, maskOf, setMask } = context;
      const vectors = context.apply(tokens, x); // [batch, places, embeddingDim]
      const places = learned(context, vectors, { name: "position_embedding/embeddings", sequenceLength, embeddings });
      const sum = emit.op("Add", [vectors, places]);
      const mask = maskOf(vectors);
      if (mask) setMask(sum, mask);
      return sum;
    },
  };
}

/** The vectors of the first places, [places, size]. */
function learned(
  { emit, parameter, fail }: LayerContext,
  x: Value,
  { name, sequenceLength, embeddings }: { name: string; sequenceLength: number; embeddings: Weight },
): Value {
  const [places, size] = sequenceSizes(x, fail);
  if (places > sequenceLength) return fail(`${places} places are more than sequenceLength ${sequenceLength}`);
  const all = parameter(name, [sequenceLength, size], embeddings.options);
  return places === sequenceLength ? all : emit.op("Slice", [all, emit.ints([0]), emit.ints([places]), emit.ints([0])]);
}

function sequenceSizes(x: Value, fail: LayerContext["fail"]): readonly [places: number, size: number] {
  const [places, size] = [sizeOf(x, 1), sizeOf(x, 2)];
  if (x.shape.length !== 3 || places === undefined || size === undefined) return fail("takes sequences [batch, places, size]");
  return [places, size];
}
