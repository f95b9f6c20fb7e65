import type { Column, Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { compareCodeUnits } from "../features/fit.ts";
import { requireColumn } from "../features/transform.ts";
import { parseTimes } from "./parse-time.ts";
import { gatherRows, valueAt } from "./rows.ts";

/** What makes a table a series, and how far is looked back and ahead. Plain JSON: it travels in the bundle. */
export interface SeriesSpec {
  /** The column of times. */
  readonly time: string;
  /** The column that tells several series in one table apart. */
  readonly group?: string;
  /** Rows that a forecast is made from. */
  readonly window: number;
  /** Rows that are forecast. */
  readonly horizon: number;
}

/** A table in the order of its series and of time. */
export interface OrderedSeries {
  /** All rows: one series after the other, each by time. */
  readonly columns: Columns;
  /** One a row. */
  readonly times: Float64Array;
  /** Where each series is: rows `start` to before `end`. */
  readonly groups: readonly { readonly name: string; readonly start: number; readonly end: number }[];
}

/**
 * Puts a table's rows into the order of time, series by series.
 *
 * @throws COLUMN_MISSING with the nearest names; COLUMN_TYPE for a missing or unreadable time, with the row; DATA_MALFORMED when a series has two rows of one time
 */
export function orderSeries(columns: Columns, { time, group }: Pick<SeriesSpec, "time" | "group">): OrderedSeries {
  const times = parseTimes(requireColumn(columns, time), time);
  const groupColumn = group === undefined ? undefined : requireColumn(columns, group);
  const names = Array.from({ length: columns.length }, (_, row) => (groupColumn === undefined ? "" : String(valueAt(groupColumn, row) ?? "")));
  const order = Uint32Array.from({ length: columns.length }, (_, row) => row).toSorted(
    (a, b) => compareCodeUnits(names[a]!, names[b]!) || times[a]! - times[b]! || a - b, // rows of the table
  );
  const groups: { name: string; start: number; end: number }[] = [];
  for (const [place, row] of order.entries()) {
    const before = order[place - 1];
    const name = names[row]!; // as above
    const last = groups.at(-1);
    if (last === undefined || last.name !== name) {
      groups.push({ name, start: place, end: place + 1 });
      continue;
    }
    last.end = place + 1;
    if (before !== undefined && times[before] === times[row]) {
      const [first, second] = [before, row].toSorted((a, b) => a - b).map((i) => i + 1);
      const value = String(valueAt(requireColumn(columns, time), row));
      const advice = group === undefined ? "when the table holds several series, say by which column: --group <column>" : "leave one out";
      throw new EspalierError(
        "DATA_MALFORMED",
        `rows ${first} and ${second} have the same time ${value}${name === "" ? "" : ` in series "${name}"`}; ${advice}`,
        {
          rows: [first, second],
        },
      );
    }
  }
  return { columns: gatherRows(columns, order), times: Float64Array.from(order, (row) => times[row]!), groups }; // as above
}

/** Values of one column in the order of time, gaps closed with the value before; NaN before a series' first value. */
export function fillForward({ columns, groups }: OrderedSeries, name: string): Float64Array {
  const column = requireColumn(columns, name);
  const filled = Float64Array.from(numbersOf(column, name));
  for (const { start, end } of groups) for (let row = start + 1; row < end; row++) if (Number.isNaN(filled[row])) filled[row] = filled[row - 1]!; // inside the series
  return filled;
}

/** A column of numbers. @throws COLUMN_TYPE for text and tensors */
export function numbersOf(column: Column, name: string): Float64Array {
  if (column.kind === "number") return column.values;
  throw new EspalierError("COLUMN_TYPE", `column "${name}" holds ${column.kind}s; a series is made of numbers`, { column: name });
}

/** The last row of each window that has `window` rows behind it and, with `ahead`, as many rows after it in its series. */
export function windowEnds({ groups }: OrderedSeries, { window, ahead = 0 }: { readonly window: number; readonly ahead?: number }): Uint32Array {
  const ends: number[] = [];
  for (const { start, end } of groups) for (let row = start + window - 1; row + ahead < end; row++) ends.push(row);
  return Uint32Array.from(ends);
}

/** Windows as a tensor column: of each end the `length` values from `offset` rows after the window's beginning on. */
export function windowColumn(
  values: Float64Array,
  ends: ArrayLike<number>,
  { from, length }: { readonly from: number; readonly length: number },
): Column {
  const tensors = new Float32Array(ends.length * length);
  for (let i = 0; i < ends.length; i++) tensors.set(values.subarray(ends[i]! + from, ends[i]! + from + length), i * length); // i counts ends
  return { kind: "tensor", shape: [length], values: tensors };
}
