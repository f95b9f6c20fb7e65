export { EspalierError, errorCodes, type ErrorCode, type ErrorMeaning } from "./errors.ts";
export {
  allocate,
  bytesPerElement,
  float16Memory,
  elementCount,
  scalar,
  tensor,
  toNumbers,
  zeros,
  type DType,
  type Tensor,
  type Tensors,
  type TypedArray,
} from "./tensor.ts";
export {
  formatShape,
  type Attribute,
  type Dimension,
  type Graph,
  type GraphInput,
  type Node,
  type RandomFeed,
  type StateValue,
  type ValueName,
  type ValueType,
} from "./graph/graph.ts";
export { GraphBuilder } from "./graph/builder.ts";
export { findOperator, operators } from "./operators/index.ts";
export { readAttributes } from "./operators/attributes.ts";
export { dtypeCodes, dtypeOfCode } from "./operators/cast.ts";
export { checkedWindow, kernelOffsets, slidingWindow, type SlidingWindow, type WindowOptions } from "./operators/sliding-window.ts";
export { attentionSizes, scaleOf, type AttentionSizes } from "./operators/attention.ts";
export { rotarySizes } from "./operators/rotary-embedding.ts";
export { transposedWindow, type TransposedWindow } from "./operators/conv-transpose.ts";
export { nadamMomentumProducts } from "./operators/nadam.ts";
export { windowCounts } from "./operators/average-pool.ts";
export { power } from "./operators/powers.ts";
export { resizeTaps, type AxisResize, type Tap } from "./operators/resize-taps.ts";
export { plannedAxes } from "./operators/resize.ts";
export { parseEinsum, type EinsumEquation, type EinsumLabel } from "./operators/einsum-equation.ts";
export { sliceRange, type SlicePart } from "./operators/slice.ts";
export {
  sameShape,
  type AttributeSpec,
  type Attributes,
  type Emitter,
  type GradientContext,
  type InferContext,
  type LowerContext,
  type Operator,
  type TrainingContext,
  type Value,
} from "./operators/operator.ts";
export type { Availability, Backend, BackendDriver, KernelTiming, Capabilities, CompileOptions, Executable } from "./backend.ts";
export type { Column, Columns, ColumnType, NumberColumn, Schema, StringColumn, TensorColumn, TensorValues } from "./columns.ts";
export type { Predictions, Predictor } from "./predictor.ts";
export { createPredictor } from "./create-predictor.ts";
export type { Dataset, DatasetIterator, DatasetState } from "./data/dataset.ts";
export type { FeatureSpec, FittedFeature, FittedFeatures, FittedTarget } from "./features/features.ts";
export { bundleFormatVersion, type InputField, type Manifest, type TensorEntry } from "./bundle/manifest.ts";
export { createBundle, type Bundle, type BundleContents } from "./bundle/bundle.ts";
export { bundleFiles, decodeBundle, openBundle, type BundleSource } from "./bundle/open.ts";
export { encodeBundle, encodeBundleFolder } from "./bundle/write.ts";
export { checkFeeds, checkState, stateNames } from "./feeds.ts";
export { StateStore, type StateStoreOptions } from "./state-store.ts";
export { deriveSeed, Random, type RandomState } from "./random.ts";
export { permutation, type PermutationOptions } from "./permutation.ts";
export { nearestNames, suggestNames } from "./nearest.ts";
export { concatColumns, gatherRows, rowObject, selectColumns, sliceRows, valueAt, type CellValue } from "./data/rows.ts";
export { blobSource, memorySource, type ByteSource } from "./data/byte-source.ts";
export { openTable, readTable, type OpenedTable } from "./data/open-table.ts";
export { missingTexts, type FileColumnType, type Table, type TableOptions } from "./data/table.ts";
export { formatCsv, type WriteCsvOptions } from "./data/write-csv.ts";
export {
  defaultFractions,
  splitColumns,
  splitIndices,
  type SplitColumns,
  type SplitFractions,
  type SplitIndices,
  type SplitOptions,
} from "./data/split.ts";
export { packColumns, type PackOptions } from "./data/pack-columns.ts";
export { fromColumns } from "./data/from-columns.ts";
export { tensorBatches, tensorFeeds } from "./data/tensor-batches.ts";
export { feedBatches, feedsOfRows, type FeedBatchesOptions, type FeedSource, type Pass } from "./data/feed-batches.ts";
export { augmentedFeeds, augmentImages, type AugmentImagesOptions, type ImageAugmentation } from "./data/augment-images.ts";
export { rowSource, type RowSource } from "./data/row-source.ts";
export { idxColumns, parseIdx, type IdxArray } from "./data/idx.ts";
export { shuffle, type RowAccess, type ShuffleOptions } from "./data/shuffle.ts";
export { batch, type BatchOptions } from "./data/batch.ts";
export { filter, map, shard, skip, take } from "./data/combinators.ts";
export { cache, interleave, prefetch } from "./data/flow.ts";
export { columnsFromRows } from "./data/columns-from-rows.ts";
export { profileColumns, type ColumnProfile, type TableProfile } from "./data/profile.ts";
export { inferFeatures, type InferredFeatures, type LeftOut } from "./features/infer.ts";
export { compareCodeUnits, finishFeatures, fitFeatures } from "./features/fit.ts";
export { featureStatistics, mergeFeatureStatistics, type FeatureStatistics } from "./features/statistics.ts";
export { truthColumn } from "./features/truth-column.ts";
export { knownWindows, lastWindows, type ForecastInputs } from "./features/forecast.ts";
export { seriesInput, featuresInput, featureWidth, requireColumn, transformFeatures } from "./features/transform.ts";
export { decodeQuantities, encodeTarget, fitTarget, rowsWithTarget, targetValues, type Task } from "./features/target.ts";
export { exampleRow, inputFields } from "./features/input-fields.ts";
export {
  activation,
  activityRegularization,
  adaptNormalization,
  add,
  alphaDropout,
  average,
  averagePooling1D,
  averagePooling2D,
  averagePooling3D,
  batchNormalization,
  bidirectional,
  concatenate,
  conv1D,
  conv1DTranspose,
  conv2D,
  conv2DTranspose,
  conv3D,
  conv3DTranspose,
  cropping1D,
  cropping2D,
  cropping3D,
  dense,
  depthwiseConv1D,
  depthwiseConv2D,
  discretization,
  dot,
  dropout,
  dropPath,
  elu,
  embedding,
  flatten,
  fromKerasConfig,
  gaussianDropout,
  gaussianNoise,
  globalAveragePooling1D,
  globalAveragePooling2D,
  globalAveragePooling3D,
  globalMaxPooling1D,
  globalMaxPooling2D,
  globalMaxPooling3D,
  groupedQueryAttention,
  groupNormalization,
  gru,
  identity,
  layerNormalization,
  leakyReLU,
  lstm,
  masking,
  maximum,
  maxPooling1D,
  maxPooling2D,
  maxPooling3D,
  minimum,
  multiHeadAttention,
  multiply,
  nested,
  Network,
  normalization,
  permute,
  positionEmbedding,
  prelu,
  reLU,
  repeatVector,
  rescaling,
  reshape,
  rmsNormalization,
  rotaryEmbedding,
  separableConv1D,
  separableConv2D,
  sequential,
  simpleRNN,
  sinePositionEncoding,
  softmax,
  spatialDropout1D,
  spatialDropout2D,
  spatialDropout3D,
  subtract,
  summarize,
  summary,
  timeDistributed,
  tokenAndPositionEmbedding,
  toKerasConfig,
  unitNormalization,
  upSampling1D,
  upSampling2D,
  upSampling3D,
  withKerasWeights,
  zeroPadding1D,
  zeroPadding2D,
  zeroPadding3D,
  type ActivationName,
  type BatchNormalizationOptions,
  type BidirectionalOptions,
  type CellActivation,
  type Conv1DOptions,
  type Conv2DOptions,
  type Conv3DOptions,
  type ConvOptions,
  type ConvTransposeOptions,
  type CustomLayers,
  type DataFormat,
  type DenseOptions,
  type DepthwiseConvOptions,
  type DotOptions,
  type Edges,
  type EmbeddingOptions,
  type FromKerasOptions,
  type GlobalPoolingOptions,
  type GroupNormalizationOptions,
  type GroupedQueryAttentionOptions,
  type GruOptions,
  type Initializer,
  type InitializerConfig,
  type InitializerContext,
  type InitializerName,
  type Interpolation,
  type KerasConfig,
  type Layer,
  type LayerContext,
  type LayerName,
  type LayerNormalizationOptions,
  type LayerOutput,
  type LstmOptions,
  type MergeMode,
  type ModelSummary,
  type MultiHeadAttentionOptions,
  type NormalizationOptions,
  type NormalizationStatistics,
  type PReLUOptions,
  type Padding,
  type Pair,
  type ParameterOptions,
  type Pooling2DOptions,
  type PoolingOptions,
  type PositionEmbeddingOptions,
  type ReLUOptions,
  type RecurrentLayer,
  type RecurrentOptions,
  type RmsNormalizationOptions,
  type RotaryOptions,
  type SeparableConvOptions,
  type SequentialOptions,
  type Single,
  type SpatialDropoutOptions,
  type SummaryRow,
  type TokenAndPositionEmbeddingOptions,
  type Triple,
  type UpSamplingOptions,
  type WeightArguments,
} from "./layers/index.ts";
export * from "./models/index.ts";
// The training engine is a layer with a list of its own.
export * from "./training/index.ts";
export {
  decodeOnnx,
  encodeOnnx,
  bundleMetadataKey,
  bundleToOnnx,
  importOnnx,
  onnxAttributes,
  onnxToBundle,
  opsets,
  readableOpsets,
  toOnnx,
  toOnnxModel,
  type DecodeOnnxOptions,
  type ExternalData,
  type ExternalRange,
  type ImportOnnxOptions,
  type OnnxAttribute,
  type OnnxDimension,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxToBundleOptions,
  type OnnxValue,
  type ToOnnxOptions,
} from "./formats/index.ts";
export { differentiate } from "./graph/differentiate.ts";
export { copyInto, type CopyOptions } from "./graph/copy-into.ts";
export { rewrite, type RewriteRules } from "./graph/rewrite.ts";
export { widenFloat16 } from "./graph/widen-float16.ts";
export { simplify } from "./graph/simplify.ts";
export { lower, supportsAll, type OperatorUse, type Supports } from "./graph/lower.ts";
export { trainingForm, type TrainingFormOptions } from "./graph/training-form.ts";
export { bindBatch } from "./graph/bind-batch.ts";
export { hashGraph } from "./graph/hash.ts";
export { graphToJson, type AttributeJson, type ConstantJson, type GraphJson } from "./graph/json.ts";
export { graphFromJson, type GraphLimits } from "./graph/from-json.ts";
export { printGraph } from "./graph/print.ts";
export { Sha256, sha256Hex } from "./sha256.ts";
export { decodePredictions } from "./features/decode.ts";
export * from "./evaluation/index.ts";
export { prepareTable, type PreparedTable, type PrepareTableOptions } from "./pipeline/prepare-table.ts";
export { chooseBest, trainTable, type TableEvent, type TrainedTable, type TrainTableOptions } from "./pipeline/train-table.ts";
export { type SeriesOptions } from "./pipeline/prepare-series.ts";
export { type SeriesSpec } from "./data/series.ts";
export { type Candidate } from "./pipeline/train-candidate.ts";
export { checkModelName, modelNames, type DataKind, type TransferSource } from "./pipeline/networks/index.ts";
export { lazyCheckpoints, type LazyCheckpoints, type LazyCheckpointsOptions } from "./pipeline/lazy-checkpoints.ts";
export {
  crc32c,
  encodeEventRecord,
  histogramOf,
  maskedCrc32c,
  type EventRecord,
  type Histogram,
  type DivergedModel,
  type RunArtifact,
  type RunPoint,
  type RunRecord,
  type RunStatus,
  type RunStore,
} from "./tracking/index.ts";
export {
  batchOf,
  bytesText,
  chooseBatchSize,
  chromeTrace,
  countFlops,
  estimateMemory,
  formatProfile,
  largestBatchSize,
  nodeFlops,
  phasesOf,
  profile,
  type BatchSizeOptions,
  type BoundTypes,
  type ChosenBatchSize,
  type FlopsReport,
  type LargestBatchSize,
  type LargestBatchSizeOptions,
  type MemoryEstimate,
  type Phase,
  type Profile,
  type ProfileOptions,
  type ProfileRow,
  type TimelineEntry,
} from "./profiling/index.ts";
export { chooseBackend, type ChooseBackendOptions, type ChosenBackend } from "./choose-backend.ts";
export { selfTest } from "./self-test.ts";
