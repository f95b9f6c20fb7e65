export { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-file.ts";
export { type BestWeights, type Checkpoint, type CheckpointStore, type EpochProgress, type PendingGradients, type Standing } from "./checkpoint.ts";
export { describeAnomaly, findAnomaly, type Anomaly, type AnomalyOptions, type ValueRange } from "./anomaly.ts";
export { type Callback, type CallbackRun, type CallbackState, type CallbackValue, type EventOf } from "./callbacks/callback.ts";
export { csvLog, type TextSink } from "./callbacks/csv-log.ts";
export { earlyStopping, type EarlyStopping } from "./callbacks/early-stopping.ts";
export { progress, type ProgressOptions } from "./callbacks/progress.ts";
export { tensorBoard, type ByteSink, type TensorBoardOptions } from "./callbacks/tensor-board.ts";
export { rescuedResult } from "./diverged.ts";
export { lossTerms, type Losses, type LossTerm, type NamedTerm } from "./loss-terms.ts";
export { type LossSums } from "./loss-sums.ts";
export { recordNumbers, type Monitor } from "./monitor.ts";
export { type EpochRecord, type StopReason, type TrainingEvent } from "./event.ts";
export { type FitOptions, type FitResult, type TrainingData } from "./fit-options.ts";
export { evaluateModel, type EvaluateModelOptions } from "./evaluate-model.ts";
export { fit } from "./fit.ts";
export { memoryCheckpoints } from "./memory-checkpoints.ts";
export { tableRecipe, type Recipe, type RecipeOptions } from "./recipe.ts";
export { randomFeeds, type RandomFeedsOptions } from "./random-feeds.ts";
export {
  createAccumulationGraph,
  createEvaluationGraph,
  createTrainingGraph,
  createUpdateGraph,
  type TrainableModel,
  type TrainingGraphOptions,
} from "./training-graph.ts";
export { l1, l1l2, l2, orthogonal, regularize, type Regularizer } from "./regularizer.ts";
export { constrain, maxNorm, minMaxNorm, nonNegative, unitNorm, type Constraint } from "./constraint.ts";
export {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  contrastive,
  cosineSimilarity,
  createLoss,
  ctc,
  dice,
  gaussianKlDivergence,
  hinge,
  huber,
  inBatchSoftmax,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  quantile,
  softmaxCrossEntropy,
  sparseFocalCrossentropy,
  squaredHinge,
  triplet,
  tversky,
  weightedSum,
  type BinaryCrossentropyOptions,
  type BinaryFocalCrossentropyOptions,
  type CategoricalCrossentropyOptions,
  type CategoricalFocalCrossentropyOptions,
  type CountedLosses,
  type CtcOptions,
  type Loss,
  type LossDefinition,
  type LossOptions,
  type OverlapOptions,
  type SoftmaxCrossEntropyOptions,
  type SparseFocalCrossentropyOptions,
  type TripletOptions,
  type WeightedLoss,
} from "./losses/index.ts";
export { accuracy, mae, onOutput, rootMeanSquaredError, type Metric, type MetricSums, type OnOutputOptions } from "./metrics/index.ts";
export {
  constantSchedule,
  cosineRestartsSchedule,
  cosineSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  oneCycleSchedule,
  piecewiseSchedule,
  plateauSchedule,
  polynomialSchedule,
  stepSchedule,
  warmup,
  type CosineRestartsOptions,
  type OneCycleOptions,
  type PlateauOptions,
  type Schedule,
  type ScheduleContext,
} from "./schedules/index.ts";
export {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamW,
  averagedWeights,
  createOptimizer,
  ftrl,
  lamb,
  lion,
  muon,
  nadam,
  rmsProp,
  sgd,
  type AdadeltaOptions,
  type AdafactorOptions,
  type AdagradOptions,
  type AdamaxOptions,
  type AdamOptions,
  type AdamWOptions,
  type AveragedState,
  type FtrlOptions,
  type GroupContext,
  type LambOptions,
  type LionOptions,
  type MuonOptions,
  type NadamOptions,
  type Optimizer,
  type OptimizerContext,
  type OptimizerDefinition,
  type OptimizerOptions,
  type ParameterGroup,
  type RmsPropOptions,
  type SgdOptions,
} from "./optimizers/index.ts";
export { findLearningRate, type FindLearningRateOptions, type LearningRateCurve, type LearningRatePoint } from "./find-learning-rate.ts";
