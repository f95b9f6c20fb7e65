import type { Columns } from "../columns.ts";
import { fromColumns } from "../data/from-columns.ts";
import { profileColumns, type TableProfile } from "../data/profile.ts";
import { gatherRows } from "../data/rows.ts";
import { splitColumns, type SplitColumns, type SplitFractions } from "../data/split.ts";
import { EspalierError } from "../errors.ts";
import type { FittedFeatures, FittedTarget } from "../features/features.ts";
import { fitFeatures } from "../features/fit.ts";
import { inferFeatures, type LeftOut } from "../features/infer.ts";
import { fitTarget, rowsWithTarget, type Task } from "../features/target.ts";

/** What a table is learned for, and how its rows are used. */
export interface PrepareTableOptions {
  readonly target: string;
  readonly seed: number;
  /** Overrules the inference from the target's values. */
  readonly task?: Task;
  /** Columns that are not to be used. */
  readonly ignore?: readonly string[];
  readonly fractions?: SplitFractions;
}

/** A table made ready: what was fitted, and the rows of each part. */
export interface PreparedTable {
  readonly target: FittedTarget;
  readonly features: FittedFeatures;
  /** Columns that make no feature, with the reason. */
  readonly leftOut: readonly LeftOut[];
  /** Rows that were dropped because their target is missing. */
  readonly droppedRows: number;
  readonly parts: SplitColumns;
  /** Of the training rows. */
  readonly profile: TableProfile;
}

/**
 * Target, split and features of a table. Everything fitted is fitted on the training rows alone, but for two things that are facts of the whole table: the names of the
 * classes, and which columns are identifiers.
 *
 * @throws COLUMN_MISSING, TARGET_INVALID (see `fitTarget`), DATA_EMPTY when the rows are too few to split or no column makes a feature
 */
export async function prepareTable(
  columns: Columns,
  { target: name, seed, task, ignore = [], fractions }: PrepareTableOptions,
): Promise<PreparedTable> {
  const target = fitTarget(columns, name, task && { task });
  for (const column of ignore) {
    if (!columns.columns.has(column))
      throw new EspalierError("COLUMN_MISSING", `column "${column}", which is to be ignored, is not in the data`, { column });
  }
  const kept = rowsWithTarget(columns, name);
  const usable = kept.length === columns.length ? columns : gatherRows(columns, kept);
  const stratify = target.task === "classification" ? { stratifyBy: name } : {};
  const parts = splitColumns(usable, { seed, ...stratify, ...(fractions && { fractions }) });
  const { specs, leftOut } = inferFeatures(await profileColumns([usable]), name, { ignore });
  if (specs.length === 0) {
    const reasons = leftOut.map(({ column, reason }) => `"${column}": ${reason}`).join("; ");
    throw new EspalierError("DATA_EMPTY", `no column can be learned from besides the target "${name}"${reasons === "" ? "" : ` (${reasons})`}`, {
      leftOut,
    });
  }
  const features = await fitFeatures(specs, fromColumns(parts.train));
  return {
    target: onTrainingRows(target, parts.train),
    features,
    leftOut,
    droppedRows: columns.length - kept.length,
    parts,
    profile: await profileColumns([parts.train]),
  };
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
