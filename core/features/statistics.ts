import type { Column, Columns } from "../columns.ts";
import { countWords, mergeWordTables, type WordTable } from "./byte-pair/index.ts";
import { type DateStatistics, dateStatistics, mergeDates } from "./date.ts";
import type { FeatureSpec } from "./features.ts";
import { mergeNumbers, type NumberStatistics, numberStatistics } from "./number-statistics.ts";

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
export type ColumnStatistics = NumberStatistics | CategoryStatistics | DateStatistics | TextStatistics;

/** Statistics by column, for every feature that has something to learn (images do not). */
export type FeatureStatistics = ReadonlyMap<string, ColumnStatistics>;

/** The statistics of some rows. */
export function featureStatistics(specs: readonly FeatureSpec[], columns: Columns): FeatureStatistics {
  const found = new Map<string, ColumnStatistics>();
  for (const spec of specs) {
    const column = columns.columns.get(spec.column);
    if (column === undefined || spec.kind === "image") continue;
    found.set(spec.column, columnStatistics(spec, column));
  }
  return found;
}

function columnStatistics(spec: Exclude<FeatureSpec, { kind: "image" }>, column: Column): ColumnStatistics {
  switch (spec.kind) {
    case "number":
      return numberStatistics(column);
    case "category":
      return categoryStatistics(column);
    case "date":
      return dateStatistics(column, spec.column);
    case "text":
      return textStatistics(column);
    default:
      return spec satisfies never;
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
    else if (other.kind === "date" && part.kind === "date") merged.set(name, mergeDates(other, part));
    else if (other.kind === "text" && part.kind === "text") merged.set(name, mergeTexts(other, part));
  }
  return merged;
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
