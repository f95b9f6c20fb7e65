import type { Column, Columns } from "../columns.ts";
import { parseTime } from "./parse-time.ts";
import { mergeNumbers, type NumberStatistics, numberStatistics, standardDeviation } from "../features/number-statistics.ts";

/** What one column holds, for people and for choosing features. */
export type ColumnProfile =
  | {
      readonly kind: "number";
      readonly count: number;
      readonly missing: number;
      /** How many values differ; `distinctExact` false: at least so many. */
      readonly distinct: number;
      readonly distinctExact: boolean;
      readonly min: number;
      readonly max: number;
      readonly mean: number;
      readonly standardDeviation: number;
      /** Whether every value is a whole number. */
      readonly whole: boolean;
      /** Whether each value is larger than the one before: a counter, a time. */
      readonly increasing: boolean;
    }
  | {
      readonly kind: "string";
      readonly count: number;
      readonly missing: number;
      readonly distinct: number;
      readonly distinctExact: boolean;
      /** Words of a value, on average: pieces between spaces. */
      readonly meanWords: number;
      /** Whether every value is a time, from year to second: see `parseTime`. */
      readonly times: boolean;
      /** The most frequent values first. */
      readonly top: readonly { readonly value: string; readonly count: number }[];
    }
  | {
      readonly kind: "tensor";
      readonly count: number;
      readonly missing: 0;
      readonly shape: readonly number[];
      /** Bytes are from 0 to 255. */
      readonly dtype: "float32" | "uint8";
    };

/** A table's columns at a glance. */
export interface TableProfile {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnProfile>>;
}

/** Different values that are counted exactly; memory stays bounded beyond. */
const distinctLimit = 100_000;

/** Frequent values that a profile names. */
const topCount = 10;

/**
 * Reads a table once and describes each column.
 *
 * @param chunks pieces of one table, with the same columns
 */
export async function profileColumns(chunks: AsyncIterable<Columns> | Iterable<Columns>): Promise<TableProfile> {
  let rows = 0;
  const tallies = new Map<string, Tally>();
  for await (const columns of chunks) {
    rows += columns.length;
    for (const [name, column] of columns.columns) {
      const tally = tallies.get(name) ?? startTally(column);
      tallies.set(name, tally);
      addTo(tally, column);
    }
  }
  return { rows, columns: Object.fromEntries(Array.from(tallies, ([name, tally]) => [name, describe(tally, rows)])) };
}

/** What is known of a column so far. */
interface Tally {
  readonly kind: Column["kind"];
  readonly shape: readonly number[];
  readonly dtype: "float32" | "uint8";
  readonly numbers: Set<number>;
  readonly strings: Map<string, number>;
  statistics: NumberStatistics;
  whole: boolean;
  increasing: boolean;
  last: number;
  present: number;
  words: number;
  times: boolean;
  exact: boolean;
}

function startTally(column: Column): Tally {
  const statistics = numberStatistics({ kind: "number", values: new Float64Array(0) });
  const shape = column.kind === "tensor" ? column.shape : [];
  const dtype = column.kind === "tensor" && column.values instanceof Uint8Array ? "uint8" : "float32";
  const seen = { numbers: new Set<number>(), strings: new Map<string, number>() };
  return {
    kind: column.kind,
    shape,
    dtype,
    ...seen,
    statistics,
    whole: true,
    increasing: true,
    last: -Infinity,
    present: 0,
    words: 0,
    times: true,
    exact: true,
  };
}

function addTo(tally: Tally, column: Column): void {
  if (column.kind === "number") {
    tally.statistics = mergeNumbers(tally.statistics, numberStatistics(column));
    for (const value of column.values) {
      if (Number.isNaN(value)) continue;
      if (!Number.isInteger(value)) tally.whole = false;
      if (value <= tally.last) tally.increasing = false;
      tally.last = value;
      if (tally.numbers.size < distinctLimit) tally.numbers.add(value);
      else if (!tally.numbers.has(value)) tally.exact = false;
    }
  } else if (column.kind === "string") {
    const counts = new Float64Array(column.dictionary.length);
    for (const code of column.codes) if (code >= 0) counts[code]! += 1;
    for (const [code, count] of counts.entries()) {
      if (count === 0) continue;
      tally.present += count;
      const value = column.dictionary[code]!; // one place a dictionary entry
      tally.words += count * countPieces(value);
      if (tally.times) tally.times = parseTime(value) !== undefined;
      const before = tally.strings.get(value);
      if (before !== undefined || tally.strings.size < distinctLimit) tally.strings.set(value, (before ?? 0) + count);
      else tally.exact = false;
    }
  }
}

function countPieces(text: string): number {
  return text.split(/\s+/).filter((piece) => piece !== "").length;
}

function describe(tally: Tally, rows: number): ColumnProfile {
  if (tally.kind === "tensor") return { kind: "tensor", count: rows, missing: 0, shape: tally.shape, dtype: tally.dtype };
  if (tally.kind === "string") {
    const top = Array.from(tally.strings, ([value, count]) => ({ value, count }));
    top.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
    const { present, words, times, exact } = tally;
    return {
      kind: "string",
      count: present,
      missing: rows - present,
      distinct: top.length,
      distinctExact: exact,
      meanWords: present === 0 ? 0 : words / present,
      times: times && present > 0,
      top: top.slice(0, topCount),
    };
  }
  const { statistics, whole, increasing, numbers, exact } = tally;
  return {
    kind: "number",
    count: statistics.count,
    missing: rows - statistics.count,
    distinct: numbers.size,
    distinctExact: exact,
    min: statistics.min,
    max: statistics.max,
    mean: statistics.mean,
    standardDeviation: standardDeviation(statistics),
    whole: whole && statistics.count > 0,
    increasing: increasing && statistics.count > 1,
  };
}
