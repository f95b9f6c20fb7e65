export { areaUnderCurve, classificationMetrics, confusionMatrix, type ClassPredictions } from "./classification.ts";
export { concatPredictions } from "./concat-predictions.ts";
export { evaluatePredictions, type Evaluated, type Metrics } from "./evaluate.ts";
export { regressionMetrics } from "./regression.ts";
export {
  classScore,
  cohenKappaScore,
  matthewsCorrelation,
  meanIntersectionOverUnion,
  type Average,
  type ClassScoreOptions,
  type ConfusionCounts,
} from "./confusion-scores.ts";
export { areaUnderRoc, averagePrecision, rankedGroups, type RankedGroup, type ScoredRows } from "./ranked-groups.ts";
export { createRegressionSums, type RegressionSums } from "./regression-sums.ts";
