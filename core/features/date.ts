import type { Column } from "../columns.ts";
import { parseTimes } from "../data/parse-time.ts";
import type { FittedFeature } from "./features.ts";
import { mergeNumbers, type NumberStatistics, numberStatistics, standardDeviation } from "./number-statistics.ts";

/** Parts of a time that come back: which months, days of the week and hours there were, one bit each; and the times themselves, in days since 1970. */
export interface DateStatistics {
  readonly kind: "date";
  readonly days: NumberStatistics;
  readonly seen: Readonly<Record<DatePart, number>>;
}

/** What of a time repeats itself. */
export type DatePart = "month" | "weekday" | "hour";

type DateFeature = Extract<FittedFeature, { kind: "date" }>;

/** How many values a part has, in the order of their places in a row; the first day of a week is Sunday. */
const sizes: Readonly<Record<DatePart, number>> = { month: 12, weekday: 7, hour: 24 };
const parts: readonly DatePart[] = ["month", "weekday", "hour"];
const dayMs = 86_400_000;

/** The statistics of a column of times; values that are none must be missing ones. @throws COLUMN_TYPE as `parseTimes` */
export function dateStatistics(column: Column, name: string): DateStatistics {
  const days = daysOf(column, name);
  const seen = { month: 0, weekday: 0, hour: 0 };
  for (const day of days) if (!Number.isNaN(day)) for (const part of parts) seen[part] |= 2 ** partOf(day, part);
  return { kind: "date", days: numberStatistics({ kind: "number", values: days }), seen };
}

/** Two parts' statistics as one. */
export function mergeDates(a: DateStatistics, b: DateStatistics): DateStatistics {
  const either = (part: DatePart): number => a.seen[part] | b.seen[part];
  return { kind: "date", days: mergeNumbers(a.days, b.days), seen: { month: either("month"), weekday: either("weekday"), hour: either("hour") } };
}

/** The feature of a column: parts that are the same in all training rows teach nothing and are left out. */
export function fitDate(column: string, { days, seen }: DateStatistics): DateFeature {
  const deviation = standardDeviation(days);
  return {
    kind: "date",
    column,
    mean: days.mean,
    standardDeviation: deviation > 0 ? deviation : 1,
    missing: days.missing > 0,
    parts: parts.filter((part) => (seen[part] & (seen[part] - 1)) !== 0), // more than one bit
  };
}

/** Where one feature's places are: columns `offset` and on of a [rows, width] table. */
export interface Place {
  readonly table: Float32Array;
  readonly width: number;
  readonly offset: number;
}

/** How many numbers stand for one time. */
export function dateWidth({ missing, parts: kept }: DateFeature): number {
  return kept.reduce((width, part) => width + sizes[part], missing ? 2 : 1);
}

/**
 * Writes a column of times: how far from the mean of the training rows, whether it is missing if any was, and one place for each month, day of the week and hour.
 *
 * @throws COLUMN_TYPE naming row and value for text that is no time
 */
export function writeDates(feature: DateFeature, column: Column, { table, width, offset }: Place): void {
  const { mean, standardDeviation: deviation, missing, parts: kept } = feature;
  for (const [row, day] of daysOf(column, feature.column).entries()) {
    let at = row * width + offset;
    if (Number.isNaN(day)) {
      if (missing) table[at + 1] = 1;
      continue;
    }
    table[at] = (day - mean) / deviation;
    at += missing ? 2 : 1;
    for (const part of kept) {
      table[at + partOf(day, part)] = 1;
      at += sizes[part];
    }
  }
}

/** Days since 1970 in UTC, with fractions; NaN where the time is missing. */
function daysOf(column: Column, name: string): Float64Array {
  return parseTimes(column, name, { missing: "allowed" }).map((time) => time / dayMs);
}

/** Times are counted in UTC, as they are written: which hour it was where the row was made is not known. */
function partOf(day: number, part: DatePart): number {
  const time = new Date(Math.round(day * dayMs));
  if (part === "month") return time.getUTCMonth();
  return part === "weekday" ? time.getUTCDay() : time.getUTCHours();
}
