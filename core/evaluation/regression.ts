import { createRegressionSums } from "./regression-sums.ts";

/**
 * Root mean squared error and mean absolute error in the target's unit, and the share of variance explained (left out when the values do not vary).
 *
 * @param values predictions @param truth as many
 */
export function regressionMetrics(values: Float64Array, truth: Float64Array): Record<string, number> {
  const sums = createRegressionSums();
  for (const [row, value] of truth.entries()) sums.add(values[row]!, value); // as many predictions as rows
  const r2 = sums.r2();
  const metrics = { rmse: sums.rmse(), mae: sums.mae() };
  return r2 === undefined ? metrics : { ...metrics, r2 };
}
