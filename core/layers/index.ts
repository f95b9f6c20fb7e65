export { activityRegularization } from "./activity-regularization.ts";
export { activation, softmax, type ActivationName } from "./activation.ts";
export { type Pair, type Single, type Triple } from "./argument.ts";
export { batchNormalization, type BatchNormalizationOptions } from "./batch-normalization.ts";
export { bidirectional, type BidirectionalOptions, type MergeMode } from "./bidirectional.ts";
export { conv1D, conv2D, conv3D, type Conv1DOptions, type Conv2DOptions, type Conv3DOptions, type ConvOptions } from "./conv.ts";
export { conv1DTranspose, conv2DTranspose, conv3DTranspose, type ConvTransposeOptions } from "./conv-transpose.ts";
export { type DataFormat } from "./data-format.ts";
export { dense, type DenseOptions } from "./dense.ts";
export {
  depthwiseConv1D,
  depthwiseConv2D,
  separableConv1D,
  separableConv2D,
  type DepthwiseConvOptions,
  type SeparableConvOptions,
} from "./depthwise-conv.ts";
export { dot, type DotOptions } from "./dot.ts";
export { dropout } from "./dropout.ts";
export { cropping1D, cropping2D, cropping3D, zeroPadding1D, zeroPadding2D, zeroPadding3D, type Edges } from "./edges.ts";
export { embedding, type EmbeddingOptions } from "./embedding.ts";
export {
  globalAveragePooling1D,
  globalAveragePooling2D,
  globalAveragePooling3D,
  globalMaxPooling1D,
  globalMaxPooling2D,
  globalMaxPooling3D,
  type GlobalPoolingOptions,
} from "./global-pooling.ts";
export { initialize, type Initializer, type InitializerConfig, type InitializerContext, type InitializerName } from "./initializer.ts";
export { fromKerasConfig, toKerasConfig, withKerasWeights, type CustomLayers, type FromKerasOptions, type KerasConfig } from "./keras/index.ts";
export { type Layer, type LayerContext, type LayerName, type LayerOutput, type ParameterOptions } from "./layer.ts";
export { add, average, concatenate, maximum, minimum, multiply, subtract } from "./merging.ts";
export {
  groupedQueryAttention,
  multiHeadAttention,
  type GroupedQueryAttentionOptions,
  type MultiHeadAttentionOptions,
} from "./multi-head-attention.ts";
export {
  positionEmbedding,
  sinePositionEncoding,
  tokenAndPositionEmbedding,
  type PositionEmbeddingOptions,
  type TokenAndPositionEmbeddingOptions,
} from "./positions.ts";
export { nested } from "./nested.ts";
export {
  alphaDropout,
  dropPath,
  gaussianDropout,
  gaussianNoise,
  spatialDropout1D,
  spatialDropout2D,
  spatialDropout3D,
  type SpatialDropoutOptions,
} from "./noise.ts";
export {
  adaptNormalization,
  discretization,
  masking,
  normalization,
  rescaling,
  type NormalizationOptions,
  type NormalizationStatistics,
} from "./preprocessing.ts";
export { Network } from "./network.ts";
export {
  groupNormalization,
  layerNormalization,
  rmsNormalization,
  unitNormalization,
  type GroupNormalizationOptions,
  type LayerNormalizationOptions,
  type RmsNormalizationOptions,
} from "./normalizations.ts";
export {
  averagePooling1D,
  averagePooling2D,
  averagePooling3D,
  maxPooling1D,
  maxPooling2D,
  maxPooling3D,
  type Pooling2DOptions,
  type PoolingOptions,
} from "./pooling.ts";
export { elu, leakyReLU, prelu, reLU, type PReLUOptions, type ReLUOptions } from "./rectifiers.ts";
export {
  gru,
  lstm,
  simpleRNN,
  type CellActivation,
  type GruOptions,
  type LstmOptions,
  type RecurrentLayer,
  type RecurrentOptions,
} from "./recurrent.ts";
export { flatten, identity, permute, repeatVector, reshape } from "./reshaping.ts";
export { rotaryEmbedding, type RotaryOptions } from "./rotary.ts";
export { sequential, type SequentialOptions } from "./sequential.ts";
export { summarize, summary, type ModelSummary, type SummaryRow } from "./summary.ts";
export { timeDistributed } from "./time-distributed.ts";
export { upSampling1D, upSampling2D, upSampling3D, type Interpolation, type UpSamplingOptions } from "./up-sampling.ts";
export { type Weight, type WeightArguments } from "./weight.ts";
export { type Padding } from "./window.ts";
