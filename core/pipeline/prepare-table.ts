import type { Columns } from "../columns.ts";
import type { FeedSource } from "../data/feed-batches.ts";
import { fromColumns } from "../data/from-columns.ts";
import { profileColumns, type TableProfile } from "../data/profile.ts";
import type { RowSource } from "../data/row-source.ts";
import { gatherRows } from "../data/rows.ts";
import type { SeriesSpec } from "../data/series.ts";
import type { SplitColumns } from "../data/split.ts";
import { tensorFeeds } from "../data/tensor-batches.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import type { FeatureSpec, FittedFeatures, FittedTarget } from "../features/features.ts";
import { fitFeatures } from "../features/fit.ts";
import { fittedColumns } from "../features/fitted-columns.ts";
import { inferFeatures, type LeftOut } from "../features/infer.ts";
import { exampleRow } from "../features/input-fields.ts";
import { encodeTarget, fitTarget, rowsWithTarget, type Task } from "../features/target.ts";
import { transformFeatures } from "../features/transform.ts";
import type { Tensors } from "../tensor.ts";
import { divideRows, mapParts, type DivideOptions, type Parts } from "./divide-rows.ts";

/** What a table is learned for, and how its rows are used. */
export interface PrepareTableOptions extends Pick<DivideOptions, "seed" | "fractions"> {
  readonly target: string;
  /** Overrules the inference from the target's values. */
  readonly task?: Task;
  /** Columns that are not to be used. */
  readonly ignore?: readonly string[];
  /** Features that were fitted before, on other rows: used as they are, and the only columns that are read. */
  readonly fitted?: { readonly features: FittedFeatures; /** For messages: who reads them. */ readonly name: string };
}

/** A table made ready: what was fitted, and the rows of each part. */
export interface PreparedTable {
  readonly target: FittedTarget;
  readonly features: FittedFeatures;
  /** Columns that make no feature, with the reason. */
  readonly leftOut: readonly LeftOut[];
  /** Rows that were dropped because their target is missing. */
  readonly droppedRows: number;
  /** The rows with the columns that are in memory: the truth that answers are compared with. */
  readonly parts: SplitColumns;
  /** The same rows as a model is fed with them, `labels` included. */
  readonly feeds: Parts<FeedSource>;
  /** Of the training rows. */
  readonly profile: TableProfile;
  /** One training row, as a prediction request would send it. */
  readonly example: Readonly<Record<string, unknown>>;
  /** Of a forecast: how the table became windows. The parts are then windows, and what came next. */
  readonly series?: SeriesSpec;
  /** How good answers are that need no model, on the test rows: by name. */
  readonly baselines?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Rows among which a complete one is looked for as the example, when rows must be read. */
const exampleRows = 16;

/**
 * Target, split and features of a table. Everything fitted is fitted on the training rows alone, but for two things that are facts of the whole table: the names of the
 * classes, and which columns are identifiers.
 *
 * @throws COLUMN_MISSING, TARGET_INVALID (see `fitTarget`), DATA_EMPTY when the rows are too few to split or no column makes a feature
 */
export async function prepareTable(source: RowSource, options: PrepareTableOptions): Promise<PreparedTable> {
  const { target: name, task, ignore = [], fitted } = options;
  const { columns } = source;
  const target = fitTarget(columns, name, task && { task });
  checkIgnored(source, { target: name, ignore });
  const kept = rowsWithTarget(columns, name);
  const indices = divideRows(source, { ...options, rows: kept, ...(target.task === "classification" && { stratifyBy: name }) });
  const parts = mapParts(indices, (rows) => gatherRows(columns, rows));
  const whole = kept.length === columns.length ? columns : gatherRows(columns, kept);
  const profile = withLarge(await profileColumns([whole]), source);
  const { specs, leftOut } =
    fitted === undefined ? inferFeatures(profile, name, { ignore }) : fittedColumns(profile, { ...fitted, target: name, ignore });
  if (fitted === undefined && specs.length === 0) {
    const reasons = leftOut.map(({ column, reason }) => `"${column}": ${reason}`).join("; ");
    throw new EspalierError("DATA_EMPTY", `no column can be learned from besides the target "${name}"${reasons === "" ? "" : ` (${reasons})`}`, {
      leftOut,
    });
  }
  const features = fitted?.features ?? (await fitParts(specs, parts.train));
  const labelled = onTrainingRows(target, parts.train);
  const tensorsOf = (rows: Columns): Tensors => ({ ...transformFeatures(features, rows), labels: encodeTarget(labelled, rows) });
  const readFeeds = (rows: Uint32Array): FeedSource => ({
    rows: rows.length,
    feedsAt: async (places) => tensorsOf(await source.readRows(places.map((place) => rows[place]!))), // places are below the part's length
  });
  const reads = Object.keys(source.large).length > 0;
  return {
    target: labelled,
    features,
    leftOut,
    droppedRows: columns.length - kept.length,
    parts,
    feeds: reads ? mapParts(indices, readFeeds) : mapParts(parts, (rows) => tensorFeeds(tensorsOf(rows))),
    profile: withLarge(await profileColumns([parts.train]), source),
    example: exampleRow(features, reads ? await source.readRows(indices.train.slice(0, exampleRows)) : parts.train),
  };
}

/** Images have nothing to learn; they may not be in memory either. */
async function fitParts(specs: readonly FeatureSpec[], train: Columns): Promise<FittedFeatures> {
  const learned = specs.filter(({ kind }) => kind !== "image");
  const { features } = learned.length === 0 ? { features: [] } : await fitFeatures(learned, fromColumns(train));
  const byColumn = new Map(features.map((feature) => [feature.column, feature]));
  return { features: specs.flatMap((spec) => (spec.kind === "image" ? spec : (byColumn.get(spec.column) ?? []))) };
}

/** A profile with the columns that are not in memory; they come first, as what the table is about. */
function withLarge({ rows, columns }: TableProfile, { large }: RowSource): TableProfile {
  const tensors = Object.entries(large).flatMap(([name, type]) =>
    type.kind === "tensor"
      ? [[name, { kind: "tensor", count: rows, missing: 0, shape: type.shape, dtype: type.dtype ?? "float32" } as const] as const]
      : [],
  );
  return { rows, columns: { ...Object.fromEntries(tensors), ...columns } };
}

function checkIgnored({ columns, large }: RowSource, { target, ignore = [] }: Pick<PrepareTableOptions, "target" | "ignore">): void {
  const names = [...columns.columns.keys(), ...Object.keys(large)];
  if (ignore.includes(target))
    throw new EspalierError("ARGUMENT_INVALID", `column "${target}" is the target and to be ignored at once; leave one of them out`, { target });
  for (const column of ignore) {
    if (names.includes(column)) continue;
    throw new EspalierError("COLUMN_MISSING", `column "${column}", which is to be ignored, is not in the data${suggestNames(column, names)}`, {
      column,
    });
  }
}

/** Mean and deviation of a quantity are learned from training rows only; classes stay those of the whole table. */
function onTrainingRows(target: FittedTarget, train: Columns): FittedTarget {
  return target.task === "classification" ? target : quantityOf(train, target);
}

function quantityOf(train: Columns, target: Extract<FittedTarget, { task: "regression" }>): FittedTarget {
  try {
    return fitTarget(train, target.column, { task: "regression" });
  } catch (error) {
    // A rare value may be in another part: then the training rows are constant, and the whole table's scale is the only one there is.
    if (error instanceof EspalierError && error.code === "TARGET_INVALID") return target;
    throw error;
  }
}
