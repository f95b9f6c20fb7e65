export { areaUnderCurve, classificationMetrics, confusionMatrix, type ClassPredictions } from "./classification.ts";
export { concatPredictions } from "./concat-predictions.ts";
export { evaluatePredictions, type Evaluated, type Metrics } from "./evaluate.ts";
export { regressionMetrics } from "./regression.ts";
