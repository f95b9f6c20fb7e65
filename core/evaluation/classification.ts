import type { Predictions } from "../predictor.ts";
import { classScore } from "./confusion-scores.ts";
import { areaUnderRoc, rankedGroups } from "./ranked-groups.ts";

/** Answers of a classifier. */
export type ClassPredictions = Extract<Predictions, { task: "classification" }>;

/** The smallest probability whose logarithm is taken: float32 rounds a sure answer to 0 or 1. */
const leastProbability = 1e-15;

/**
 * Accuracy and log loss, with `auc` for two classes and `macroF1` for more.
 *
 * @param truth class indices, one a row
 */
export function classificationMetrics(predictions: ClassPredictions, truth: Int32Array): Record<string, number> {
  const { classes, labels, probabilities } = predictions;
  const width = classes.length;
  let right = 0;
  let loss = 0;
  for (const [row, label] of truth.entries()) {
    if (labels[row] === label) right += 1;
    loss -= Math.log(Math.max(leastProbability, probabilities[row * width + label]!)); // labels are below the width
  }
  const metrics: Record<string, number> = { accuracy: right / truth.length, logLoss: loss / truth.length };
  if (width > 2) return { ...metrics, macroF1: classScore(confusionMatrix(predictions, truth), { average: "macro", score: "fBeta" }) };
  const auc = areaUnderCurve(
    Float64Array.from(truth, (_, row) => probabilities[row * 2 + 1]!),
    truth,
  ); // two columns
  return auc === undefined ? metrics : { ...metrics, auc };
}

/** How often each class (row) was taken for each class (column). @returns [classes][classes] counts */
export function confusionMatrix({ classes, labels }: ClassPredictions, truth: Int32Array): number[][] {
  const counts = classes.map(() => classes.map(() => 0));
  for (const [row, label] of truth.entries()) counts[label]![labels[row]!]! += 1; // labels are below the number of classes
  return counts;
}

/** The chance that a row of class 1 scores higher than one of class 0, ties counting half. @returns undefined when a class is absent */
export function areaUnderCurve(scores: Float64Array, truth: Int32Array): number | undefined {
  return areaUnderRoc(rankedGroups({ scores, isPositive: (row) => truth[row] === 1 }));
}
