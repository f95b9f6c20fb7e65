/** Errors of predictions, added up one by one. */
export interface RegressionSums {
  add(prediction: number, truth: number, weight?: number): void;
  /** Root mean squared error. */
  rmse(): number;
  /** Mean absolute error. */
  mae(): number;
  /** Mean of |error| / |truth|; a truth of 0 counts as the smallest double apart from 1. */
  mape(): number;
  /** The share of the variance that is explained; undefined when the truth does not vary. */
  r2(): number | undefined;
}

/** Empty sums. The truth's spread is updated around the running mean, so that a large mean does not cost its digits. @see B. P. Welford, 1962 */
export function createRegressionSums(): RegressionSums {
  let [total, squares, absolute, relative, mean, spread] = [0, 0, 0, 0, 0, 0];
  return {
    add(prediction, truth, weight = 1) {
      if (weight === 0) return;
      const error = prediction - truth;
      total += weight;
      squares += weight * error * error;
      absolute += weight * Math.abs(error);
      relative += (weight * Math.abs(error)) / Math.max(Math.abs(truth), Number.EPSILON);
      const before = truth - mean;
      mean += (weight / total) * before;
      spread += weight * before * (truth - mean);
    },
    rmse: () => Math.sqrt(squares / total),
    mae: () => absolute / total,
    mape: () => relative / total,
    r2: () => (spread > 0 ? 1 - squares / spread : undefined),
  };
}
