import type { Column, Columns } from "../columns.ts";
import { countWords, mergeWordTables, type WordTable } from "./byte-pair/index.ts";
import type { FeatureSpec } from "./features.ts";

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

/** How often each value occurred. */
export interface CategoryStatistics {
  readonly kind: "category";
  readonly missing: number;
  readonly counts: ReadonlyMap<string, number>;
}

/** The words of free text. */
export interface TextStatistics {
  readonly kind: "text";
  readonly missing: number;
  readonly words: WordTable;
}

/** What one column's rows add up to. Two parts of a table merge into the whole's. */
export type ColumnStatistics = NumberStatistics | CategoryStatistics | TextStatistics;

/** Statistics by column, for every feature that has something to learn (images do not). */
export type FeatureStatistics = ReadonlyMap<string, ColumnStatistics>;

/** The statistics of some rows. */
export function featureStatistics(specs: readonly FeatureSpec[], columns: Columns): FeatureStatistics {
  const found = new Map<string, ColumnStatistics>();
  for (const spec of specs) {
    const column = columns.columns.get(spec.column);
    if (column === undefined || spec.kind === "image") continue;
    found.set(spec.column, columnStatistics(spec.kind, column));
  }
  return found;
}

function columnStatistics(kind: Exclude<FeatureSpec["kind"], "image">, column: Column): ColumnStatistics {
  switch (kind) {
    case "number":
      return numberStatistics(column);
    case "category":
      return categoryStatistics(column);
    case "text":
      return textStatistics(column);
    default:
      return kind satisfies never;
  }
}

/** The statistics of two parts together. Columns that only one part has are kept. */
export function mergeFeatureStatistics(a: FeatureStatistics, b: FeatureStatistics): FeatureStatistics {
  const merged = new Map(a);
  for (const [name, part] of b) {
    const other = merged.get(name);
    if (other === undefined) merged.set(name, part);
    else if (other.kind === "number" && part.kind === "number") merged.set(name, mergeNumbers(other, part));
    else if (other.kind === "category" && part.kind === "category") merged.set(name, mergeCategories(other, part));
    else if (other.kind === "text" && part.kind === "text") merged.set(name, mergeTexts(other, part));
  }
  return merged;
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

/** The statistics of one column of strings; numbers count under their shortest decimal form. */
export function categoryStatistics(column: Column): CategoryStatistics {
  const counts = new Map<string, number>();
  let missing = 0;
  if (column.kind === "string") {
    const byCode = new Float64Array(column.dictionary.length);
    for (const code of column.codes) {
      if (code < 0) missing += 1;
      else byCode[code]! += 1;
    }
    for (const [code, count] of byCode.entries()) {
      const value = column.dictionary[code]!; // one place a dictionary entry
      if (count > 0) counts.set(value, (counts.get(value) ?? 0) + count);
    }
  } else if (column.kind === "number") {
    for (const value of column.values) {
      if (Number.isNaN(value)) missing += 1;
      else counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    }
  }
  return { kind: "category", missing, counts };
}

function mergeCategories(a: CategoryStatistics, b: CategoryStatistics): CategoryStatistics {
  const counts = new Map(a.counts);
  for (const [value, count] of b.counts) counts.set(value, (counts.get(value) ?? 0) + count);
  return { kind: "category", missing: a.missing + b.missing, counts };
}

function textStatistics(column: Column): TextStatistics {
  const { counts, missing } = categoryStatistics(column);
  return { kind: "text", missing, words: countWords(counts) };
}

function mergeTexts(a: TextStatistics, b: TextStatistics): TextStatistics {
  return { kind: "text", missing: a.missing + b.missing, words: mergeWordTables(a.words, b.words) };
}
