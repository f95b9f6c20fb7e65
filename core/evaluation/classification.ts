import type { Predictions } from "../predictor.ts";

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
  if (width > 2) return { ...metrics, macroF1: macroF1(confusionMatrix(predictions, truth)) };
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

/**
 * The chance that a row of class 1 scores higher than one of class 0, ties counting half.
 *
 * @returns undefined when a class is absent
 * @see the rank-sum form: H. B. Mann, D. R. Whitney, On a test of whether one of two random variables is stochastically larger than the other, 1947
 */
export function areaUnderCurve(scores: Float64Array, truth: Int32Array): number | undefined {
  const order = Array.from(scores, (_, row) => row).toSorted((a, b) => scores[a]! - scores[b]!); // rows of the table
  let positives = 0;
  let rankSum = 0;
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && scores[order[end]!] === scores[order[i]!]) end += 1;
    const rank = (i + 1 + end) / 2; // the mean of ranks i + 1 to end
    for (; i < end; i++) {
      if (truth[order[i]!] !== 1) continue;
      positives += 1;
      rankSum += rank;
    }
  }
  const negatives = truth.length - positives;
  return positives === 0 || negatives === 0 ? undefined : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** The mean of the F1 scores of the classes that occur in truth or answers. */
function macroF1(counts: readonly (readonly number[])[]): number {
  const scores: number[] = [];
  for (const [label, row] of counts.entries()) {
    const actual = row.reduce((sum, count) => sum + count, 0);
    const predicted = counts.reduce((sum, other) => sum + other[label]!, 0); // the matrix is square
    if (actual + predicted > 0) scores.push((2 * row[label]!) / (actual + predicted));
  }
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
