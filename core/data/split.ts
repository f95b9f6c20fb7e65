import type { Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { permutation } from "../permutation.ts";
import { deriveSeed } from "../random.ts";
import { gatherRows, valueAt } from "./rows.ts";

/** Shares of a table; they add up to 1. */
export interface SplitFractions {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** 70 % to learn from, 15 % to choose by, 15 % to report on. */
export const defaultFractions: SplitFractions = { train: 0.7, validation: 0.15, test: 0.15 };

/** How a table is split. */
export interface SplitOptions {
  readonly seed: number;
  /** Default `defaultFractions`. */
  readonly fractions?: SplitFractions;
  /** A column whose values every part has in the table's shares: the target of a classification. */
  readonly stratifyBy?: string;
}

/** The rows of each part, in the table's order. */
export interface SplitIndices {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

/** The parts as tables. */
export interface SplitColumns {
  readonly train: Columns;
  readonly validation: Columns;
  readonly test: Columns;
}

/**
 * Splits rows at random: the same seed and table give the same parts, everywhere.
 *
 * With `stratifyBy` the rows of each value are dealt evenly, and what a part is owed carries over to the next value, so that the parts' sizes are right as a whole; each
 * value has at least one row in training.
 *
 * @throws ARGUMENT_INVALID for fractions that are negative or do not add up to 1; COLUMN_MISSING for an unknown `stratifyBy`;
 * DATA_EMPTY when a part with a fraction above 0 would have no row
 */
export function splitColumns(columns: Columns, options: SplitOptions): SplitColumns {
  const { train, validation, test } = splitIndices(columns, options);
  return { train: gatherRows(columns, train), validation: gatherRows(columns, validation), test: gatherRows(columns, test) };
}

/** The same, as row numbers. @throws as `splitColumns` */
export function splitIndices(columns: Columns, { seed, fractions = defaultFractions, stratifyBy }: SplitOptions): SplitIndices {
  const shares = [fractions.train, fractions.validation, fractions.test];
  if (shares.some((share) => !(share >= 0)) || Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) > 1e-9) {
    throw new EspalierError("ARGUMENT_INVALID", `fractions must be from 0 and add up to 1, not ${shares.join(" + ")}`, { fractions });
  }
  // Rows sorted by stratum, shuffled inside it, then dealt evenly: every stretch of the line goes to the parts in their shares.
  const line = strata(columns, stratifyBy).flatMap((rows, stratum) => {
    const order = permutation({ length: rows.length, seed: deriveSeed(seed, "split", stratum) });
    return rows.map((_, position) => ({ row: rows[order(position)]!, first: stratifyBy !== undefined && position === 0 })); // a permutation of the rows
  });
  const parts: [number[], number[], number[]] = [[], [], []];
  const owed = [0, 0, 0];
  for (const { row, first } of line) {
    for (const [part, share] of shares.entries()) owed[part]! += share;
    const part = first && shares[0]! > 0 ? 0 : owed.indexOf(Math.max(...owed));
    owed[part]! -= 1;
    parts[part as 0 | 1 | 2].push(row); // shares has three places
  }
  const [train, validation, test] = parts.map((rows) => Uint32Array.from(rows).toSorted()) as [Uint32Array, Uint32Array, Uint32Array]; // three parts
  for (const [name, rows] of Object.entries({ train, validation, test })) {
    if (rows.length === 0 && fractions[name as keyof SplitFractions] > 0) {
      throw new EspalierError(
        "DATA_EMPTY",
        `${columns.length} rows are too few to split: no row is left for ${name}; at least 10 are needed for the usual shares`,
        {
          rows: columns.length,
        },
      );
    }
  }
  return { train, validation, test };
}

function strata(columns: Columns, stratifyBy: string | undefined): number[][] {
  if (stratifyBy === undefined) return [Array.from({ length: columns.length }, (_, row) => row)];
  const column = columns.columns.get(stratifyBy);
  if (column === undefined) throw new EspalierError("COLUMN_MISSING", `no column "${stratifyBy}" to stratify by`, { column: stratifyBy });
  const groups = new Map<string, number[]>();
  for (let row = 0; row < columns.length; row++) {
    const value = String(valueAt(column, row));
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [row]);
    else group.push(row);
  }
  // By name, so that the order of a dictionary does not show.
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, rows]) => rows);
}
