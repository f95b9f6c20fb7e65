import type { Column, Columns } from "../columns.ts";
import type { FeedSource } from "../data/feed-batches.ts";
import { findSeason } from "../data/find-season.ts";
import { fromColumns } from "../data/from-columns.ts";
import { profileColumns } from "../data/profile.ts";
import type { RowSource } from "../data/row-source.ts";
import { gatherRows } from "../data/rows.ts";
import { fillForward, type OrderedSeries, orderSeries, type SeriesSpec, windowColumn, windowEnds } from "../data/series.ts";
import { defaultFractions } from "../data/split.ts";
import { EspalierError } from "../errors.ts";
import { regressionMetrics } from "../evaluation/index.ts";
import type { FittedFeature, FittedTarget } from "../features/features.ts";
import { fitFeatures } from "../features/fit.ts";
import { completeEnds, windowTable, withoutGaps } from "../features/forecast.ts";
import { inferFeatures, type LeftOut } from "../features/infer.ts";
import { exampleRow } from "../features/input-fields.ts";
import { encodeTarget } from "../features/target.ts";
import { requireColumn, seriesInput } from "../features/transform.ts";
import { truthColumn } from "../features/truth-column.ts";
import { mapParts, type Parts } from "./divide-rows.ts";
import type { PreparedTable, PrepareTableOptions } from "./prepare-table.ts";

/** How a table is read as a series; what is left out is found in the data. */
export interface SeriesOptions extends Pick<SeriesSpec, "time" | "group"> {
  /** Default 1. */
  readonly horizon?: number;
  /** By default two seasons, at least 16 rows and twice the horizon, and at most a quarter of the training rows. */
  readonly window?: number;
  /** Rows after which the series repeats itself; by default from its autocorrelation. For the baseline and the window. */
  readonly season?: number;
}

/**
 * A time series made ready: rows in the order of time, windows of numbers, and the next values of the target. The last part of time is the test, the part before it the validation; nothing that
 * is fitted, found or chosen has seen them, and no training window reaches into them.
 *
 * @throws COLUMN_MISSING, COLUMN_TYPE, DATA_MALFORMED (see `orderSeries`); TARGET_INVALID unless the target is numbers; DATA_EMPTY when a part has no window
 */
export async function prepareSeries(source: RowSource, options: PrepareTableOptions & { readonly series: SeriesOptions }): Promise<PreparedTable> {
  const { target: name, series: wanted, task, fractions = defaultFractions } = options;
  if (task === "classification")
    throw new EspalierError("TARGET_INVALID", `target column "${name}": a forecast is a regression; leave the task out`, { column: name });
  const ordered = orderSeries(source.columns, wanted);
  const truth = targetOf(ordered, name);
  const cuts = cutTimes(ordered.times, fractions);
  const trainRows = rowsBefore(ordered, cuts.validation);
  const train = gatherRows(ordered.columns, trainRows);
  const { spec, season } = sizes(ordered, { wanted, name, trainRows });
  const { columns, leftOut } = await chooseColumns(train, { ...options, series: spec });
  const fitted = await fitFeatures(
    columns.map((column) => ({ kind: "number", column })),
    fromColumns(train),
  );
  const features = { features: fitted.features.flatMap((feature) => asSeries(feature, spec.window)) };
  const [first] = features.features;
  if (first === undefined) throw new EspalierError("INTERNAL", "a series has its target among its features");
  const target: FittedTarget = {
    task: "regression",
    column: name,
    mean: first.mean,
    standardDeviation: first.standardDeviation,
    horizon: spec.horizon,
  };
  const ends = divideEnds(ordered, { truth, spec, cuts });
  const parts = mapParts(ends, (part) => truthTable(target, truth, part));
  const matrix = matrixOf(ordered, features.features);
  return {
    target,
    features,
    leftOut,
    droppedRows: truth.filter((value) => Number.isNaN(value)).length,
    parts,
    feeds: { train: feedsOf(ends.train, parts.train), validation: feedsOf(ends.validation, parts.validation), test: feedsOf(ends.test, parts.test) },
    profile: await profileColumns([train]),
    example: exampleRow(features, windowTable(ordered, { features, series: spec, ends: ends.train.slice(0, 1) })),
    series: spec,
    baselines: baselines(withoutGaps(fillForward(ordered, name), target.mean), {
      ends: ends.test,
      horizon: spec.horizon,
      season,
      truth: parts.test,
      target,
    }),
  };

  function feedsOf(part: Uint32Array, known: Columns): FeedSource {
    const width = features.features.length;
    return {
      rows: part.length,
      feedsAt(indices) {
        const data = new Float32Array(indices.length * spec.window * width);
        for (const [i, index] of indices.entries()) {
          const end = part[index]! + 1; // indices are below the number of windows
          data.set(matrix.subarray((end - spec.window) * width, end * width), i * spec.window * width);
        }
        return {
          [seriesInput]: { dtype: "float32", shape: [indices.length, spec.window, width], data },
          labels: encodeTarget(target, gatherRows(known, indices)),
        };
      },
    };
  }
}

type SeriesFeature = Extract<FittedFeature, { kind: "series" }>;

function asSeries(feature: FittedFeature, window: number): readonly SeriesFeature[] {
  if (feature.kind !== "number") return [];
  const { column, mean, standardDeviation } = feature;
  return [{ kind: "series", column, window, mean, standardDeviation }];
}

function targetOf({ columns }: OrderedSeries, name: string): Float64Array {
  const column = requireColumn(columns, name);
  if (column.kind === "number" && column.values.some((value) => !Number.isNaN(value))) return column.values;
  throw new EspalierError(
    "TARGET_INVALID",
    `target column "${name}" holds ${column.kind === "number" ? "no values" : "text"}; a forecast is made of numbers`,
    {
      column: name,
    },
  );
}

/** When validation and test begin. */
interface Cuts {
  readonly validation: number;
  readonly test: number;
}

/** All series are cut at the same moments: what one of them shows of the future, no other has learned from. */
function cutTimes(times: Float64Array, { train, validation }: { readonly train: number; readonly validation: number }): Cuts {
  const sorted = times.toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { validation: at(train), test: at(train + validation) };
}

function rowsBefore({ times }: OrderedSeries, cut: number): Uint32Array {
  return Uint32Array.from(times.keys()).filter((row) => times[row]! < cut); // rows of the table
}

interface SizesContext {
  readonly wanted: SeriesOptions;
  readonly name: string;
  readonly trainRows: Uint32Array;
}

function sizes(ordered: OrderedSeries, { wanted, name, trainRows }: SizesContext): { readonly spec: SeriesSpec; readonly season: number } {
  const { time, group, horizon = 1 } = wanted;
  const values = fillForward(ordered, name);
  const usable = new Set(trainRows);
  const longest = ordered.groups
    .map(({ start, end }) =>
      Float64Array.from(
        trainRows.filter((row) => row >= start && row < end && usable.has(row) && !Number.isNaN(values[row])),
        (row) => values[row]!,
      ),
    ) // rows of the table
    .reduce((best, other) => (other.length > best.length ? other : best), new Float64Array(0));
  const season = wanted.season ?? findSeason(longest);
  const window = wanted.window ?? Math.max(1, Math.min(Math.max(16, 2 * season, 2 * horizon), Math.floor(longest.length / 4)));
  return { spec: { time, window, horizon, ...(group !== undefined && { group }) }, season };
}

/** The target first, then the other numbers. */
async function chooseColumns(
  train: Columns,
  { target, ignore = [], series: { time, group } }: Pick<PrepareTableOptions, "target" | "ignore"> & { readonly series: SeriesSpec },
): Promise<{ readonly columns: readonly string[]; readonly leftOut: readonly LeftOut[] }> {
  for (const column of ignore) requireColumn(train, column);
  const own = new Set([time, ...(group === undefined ? [] : [group])]);
  const { specs, leftOut } = inferFeatures(await profileColumns([train]), target, { ignore });
  const text = specs.filter(({ kind, column }) => kind !== "number" && !own.has(column));
  return {
    columns: [target, ...specs.flatMap(({ kind, column }) => (kind === "number" && !own.has(column) ? [column] : []))],
    leftOut: [
      ...leftOut.filter(({ column }) => !own.has(column)),
      ...text.map(({ column }) => ({ column, reason: "it is text: forecasts are made from numbers" })),
    ],
  };
}

interface DivideContext {
  readonly truth: Float64Array;
  readonly spec: SeriesSpec;
  readonly cuts: Cuts;
}

/** A window belongs to the part in which all that it forecasts lies; one that forecasts over a cut belongs to none. */
function divideEnds(ordered: OrderedSeries, { truth, spec, cuts }: DivideContext): Parts<Uint32Array> {
  const { times } = ordered;
  const { window, horizon } = spec;
  const all = completeEnds(truth, windowEnds(ordered, { window, ahead: horizon }), horizon);
  const between = (from: number, to: number): Uint32Array => all.filter((end) => times[end + 1]! >= from && times[end + horizon]! < to); // there are as many rows ahead
  const parts = { train: between(-Infinity, cuts.validation), validation: between(cuts.validation, cuts.test), test: between(cuts.test, Infinity) };
  for (const [part, ends] of Object.entries(parts)) {
    if (ends.length > 0) continue;
    throw new EspalierError(
      "DATA_EMPTY",
      `${times.length} rows are too few for windows of ${window} rows and forecasts of ${horizon}: none is left for ${part}; make --window or --horizon smaller`,
      { rows: times.length, window, horizon, part },
    );
  }
  return parts;
}

function truthTable(target: FittedTarget, truth: Float64Array, ends: Uint32Array): Columns {
  const horizon = target.task === "regression" ? (target.horizon ?? 1) : 1;
  const column: Column = windowColumn(truth, ends, { from: 1, length: horizon });
  return { length: ends.length, columns: new Map([[truthColumn(target), column]]) };
}

/** Standardised rows, [rows, columns]. */
function matrixOf(ordered: OrderedSeries, features: readonly SeriesFeature[]): Float32Array {
  const matrix = new Float32Array(ordered.columns.length * features.length);
  for (const [place, { column, mean, standardDeviation }] of features.entries()) {
    const values = withoutGaps(fillForward(ordered, column), mean);
    for (const [row, value] of values.entries()) matrix[row * features.length + place] = (value - mean) / standardDeviation;
  }
  return matrix;
}

interface BaselineContext {
  readonly ends: Uint32Array;
  readonly horizon: number;
  readonly season: number;
  readonly truth: Columns;
  readonly target: FittedTarget;
}

/** What costs nothing: "as now", and "as a season ago". A model that is not better is not worth its trouble. */
function baselines(
  values: Float64Array,
  { ends, horizon, season, truth, target }: BaselineContext,
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const column = requireColumn(truth, truthColumn(target));
  const known = column.kind === "tensor" ? Float64Array.from(column.values) : new Float64Array(0);
  const measure = (rowOf: (end: number, step: number) => number): Readonly<Record<string, number>> => {
    const answers = Float64Array.from(
      { length: ends.length * horizon },
      (_, i) => values[Math.max(0, rowOf(ends[Math.floor(i / horizon)]!, 1 + (i % horizon)))]!,
    ); // i counts answers
    return regressionMetrics(answers, known);
  };
  return {
    "last-value": measure((end) => end),
    ...(season > 1 && { [`seasonal-naive (${season})`]: measure((end, step) => end + step - season * Math.ceil(step / season)) }),
  };
}
