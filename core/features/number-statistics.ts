import type { Column } from "../columns.ts";

/** Count, mean and sum of squared distances from the mean, of the values that are there; and how many are not. */
export interface NumberStatistics {
  readonly kind: "number";
  readonly count: number;
  readonly missing: number;
  readonly mean: number;
  readonly squares: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The statistics of one column of numbers.
 *
 * Mean first, then squares around it: two passes over memory are exact where sums of squares cancel.
 */
export function numberStatistics(column: Column): NumberStatistics {
  const values = column.kind === "number" ? column.values : [];
  let count = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count += 1;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (const value of values) if (!Number.isNaN(value)) squares += (value - mean) ** 2;
  return { kind: "number", count, missing: values.length - count, mean, squares, min, max };
}

/**
 * Two parts' statistics as one.
 *
 * @see T. F. Chan, G. H. Golub, R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979
 */
export function mergeNumbers(a: NumberStatistics, b: NumberStatistics): NumberStatistics {
  const count = a.count + b.count;
  const missing = a.missing + b.missing;
  if (a.count === 0) return { ...b, missing };
  if (b.count === 0) return { ...a, missing };
  const distance = b.mean - a.mean;
  return {
    kind: "number",
    count,
    missing,
    mean: a.mean + (distance * b.count) / count,
    squares: a.squares + b.squares + (distance * distance * a.count * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  };
}

/** The population's standard deviation: the root of the mean squared distance. 0 without values. */
export function standardDeviation(statistics: NumberStatistics): number {
  return statistics.count === 0 ? 0 : Math.sqrt(statistics.squares / statistics.count);
}
