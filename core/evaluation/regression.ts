/**
 * Root mean squared error and mean absolute error in the target's unit, and the share of variance explained (left out when the values do not vary).
 *
 * @param values predictions @param truth as many
 */
export function regressionMetrics(values: Float64Array, truth: Float64Array): Record<string, number> {
  const rows = truth.length;
  const mean = truth.reduce((sum, value) => sum + value / rows, 0);
  let squares = 0;
  let absolute = 0;
  let spread = 0;
  for (const [row, value] of truth.entries()) {
    const error = values[row]! - value; // as many predictions as rows
    squares += error * error;
    absolute += Math.abs(error);
    spread += (value - mean) ** 2;
  }
  const metrics = { rmse: Math.sqrt(squares / rows), mae: absolute / rows };
  return spread > 0 ? { ...metrics, r2: 1 - squares / spread } : metrics;
}
