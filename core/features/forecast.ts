import type { Column, Columns } from "../columns.ts";
import { fillForward, numbersOf, orderSeries, windowColumn, windowEnds, type OrderedSeries, type SeriesSpec } from "../data/series.ts";
import { gatherRows, selectColumns } from "../data/rows.ts";
import { EspalierError } from "../errors.ts";
import type { FittedFeatures, FittedTarget } from "./features.ts";
import { requireColumn } from "./transform.ts";
import { truthColumn } from "./truth-column.ts";

/** What windows are cut for. */
export interface ForecastInputs {
  readonly features: FittedFeatures;
  readonly target: FittedTarget;
  readonly series: SeriesSpec;
}

/**
 * The windows that a forecast of the future is made from: the last `window` rows of each series, one row each, with the time (and the series) that they end in.
 *
 * @throws as `orderSeries`; DATA_EMPTY for a series of fewer rows, naming it
 */
export function lastWindows(table: Columns, { features, series }: ForecastInputs): Columns {
  const ordered = orderSeries(table, series);
  for (const { name, start, end } of ordered.groups) {
    if (end - start >= series.window) continue;
    const which = name === "" ? "the series" : `series "${name}"`;
    throw new EspalierError("DATA_EMPTY", `${which} has ${end - start} rows; a forecast is made from the last ${series.window}`, {
      rows: end - start,
    });
  }
  const ends = Uint32Array.from(ordered.groups, ({ end }) => end - 1);
  return windowTable(ordered, { features, series, ends });
}

/** Every window whose next `horizon` values of the target are there, and these values. @throws as `orderSeries` */
export function knownWindows(table: Columns, { features, target, series }: ForecastInputs): Columns {
  const ordered = orderSeries(table, series);
  const truth = numbersOf(requireColumn(ordered.columns, target.column), target.column);
  const ends = completeEnds(truth, windowEnds(ordered, { window: series.window, ahead: series.horizon }), series.horizon);
  const windows = windowTable(ordered, { features, series, ends });
  return {
    length: ends.length,
    columns: new Map([...windows.columns, [truthColumn(target), windowColumn(truth, ends, { from: 1, length: series.horizon })]]),
  };
}

/** The ends after which no value is missing. */
export function completeEnds(truth: Float64Array, ends: Uint32Array, horizon: number): Uint32Array {
  return ends.filter((end) => truth.subarray(end + 1, end + 1 + horizon).every((value) => !Number.isNaN(value)));
}

/** The windows that end in some rows, one row each, with the time (and the series) that they end in. */
export function windowTable(
  ordered: OrderedSeries,
  { features, series, ends }: { readonly features: FittedFeatures; readonly series: SeriesSpec; readonly ends: Uint32Array },
): Columns {
  const columns = new Map<string, Column>();
  for (const feature of features.features) {
    if (feature.kind !== "series") continue;
    const values = withoutGaps(fillForward(ordered, feature.column), feature.mean);
    columns.set(feature.column, windowColumn(values, ends, { from: 1 - series.window, length: series.window }));
  }
  const kept = selectColumns(gatherRows(ordered.columns, ends), [series.time, ...(series.group === undefined ? [] : [series.group])]);
  for (const [name, column] of kept.columns) if (!columns.has(name)) columns.set(name, column);
  return { length: ends.length, columns };
}

/** Before a series' first value there is nothing to carry on: the training rows' mean stands for it. */
export function withoutGaps(values: Float64Array, mean: number): Float64Array {
  return values.map((value) => (Number.isNaN(value) ? mean : value));
}
