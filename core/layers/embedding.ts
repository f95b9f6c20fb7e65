import { checkSize } from "./argument.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { weight, type WeightArguments } from "./weight.ts";

/** Arguments of Keras's Embedding. */
export interface EmbeddingOptions extends LayerName, WeightArguments<"embeddings"> {
  /** How many different whole numbers there are: the largest plus 1. */
  readonly inputDim: number;
  readonly outputDim: number;
  /** Whether 0 is padding, which masked layers after this one leave out. Default false. */
  readonly maskZero?: boolean;
}

/**
 * A learned vector for each whole number: int32 (or int64) [batch, ...] -> [batch, ..., outputDim].
 *
 * Parameter `embeddings` [inputDim, outputDim].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE unless the input holds int32 or int64
 * @see https://keras.io/api/layers/core_layers/embedding/
 */
export function embedding({ inputDim, outputDim, maskZero = false, ...rest }: EmbeddingOptions): Layer {
  checkSize("embedding", "inputDim", inputDim);
  checkSize("embedding", "outputDim", outputDim);
  const embeddings = weight("embedding", "embeddings", rest, "uniform");
  return {
    ...described("Embedding", rest, { inputDim, outputDim, ...embeddings.config, maskZero }),
    apply({ emit, parameter, setMask, fail }, x) {
      if (x.dtype !== "int32" && x.dtype !== "int64") {
        return fail(`takes whole numbers, not ${x.dtype}; give the network's input { dtype: "int32" }`);
      }
      const vectors = emit.op("Gather", [parameter("embeddings", [inputDim, outputDim], embeddings.options), x], { axis: 0 });
      if (maskZero) setMask(vectors, emit.op("Not", [emit.op("Equal", [x, emit.scalar(0, x.dtype)])]));
      return vectors;
    },
  };
}
