export { accuracy, binaryAccuracy, topKAccuracy } from "./accuracy.ts";
export { auc, type AucOptions } from "./auc.ts";
export { createBleu, type Bleu, type Tokens } from "./bleu.ts";
export {
  binaryIoU,
  cohenKappa,
  createConfusionMatrix,
  fBeta,
  matthews,
  meanIoU,
  precision,
  recall,
  type AveragedMetricOptions,
  type ConfusionMatrix,
} from "./confusion.ts";
export { type Metric, type MetricSums } from "./metric.ts";
export {
  createDetectionPrecision,
  type DetectedBoxes,
  type DetectionOptions,
  type DetectionPrecision,
  type DetectionScores,
  type TrueBoxes,
} from "./detection.ts";
export { detectionMeanAveragePrecision, type DetectionMetricOptions } from "./detection-metric.ts";
export { type BoxFormat } from "./box-matching.ts";
export { onOutput, type OnOutputOptions } from "./on-output.ts";
export { brier, calibrationError, logLoss, perplexity } from "./probabilistic.ts";
export {
  hitRateAtK,
  meanAveragePrecision,
  meanReciprocalRank,
  ndcgAtK,
  precisionAtK,
  recallAtK,
  type RankingAtOptions,
  type RankingOptions,
} from "./ranking.ts";
export { cosine, mae, mape, r2, rootMeanSquaredError, type NumberMetricOptions } from "./regression.ts";
export { type ClassMetricOptions } from "./scores.ts";
