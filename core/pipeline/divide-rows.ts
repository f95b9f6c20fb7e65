import type { RowSource } from "../data/row-source.ts";
import { gatherRows } from "../data/rows.ts";
import { defaultFractions, splitIndices, type SplitFractions, type SplitIndices } from "../data/split.ts";
import { EspalierError } from "../errors.ts";
import { deriveSeed } from "../random.ts";

/** The three parts of anything. */
export interface Parts<T> {
  readonly train: T;
  readonly validation: T;
  readonly test: T;
}

/** How rows are divided. */
export interface DivideOptions {
  readonly seed: number;
  readonly fractions?: SplitFractions;
  readonly stratifyBy?: string;
  /** The rows that can be used: those with a target. */
  readonly rows: Uint32Array;
}

/**
 * The rows to learn from, to choose by and to report on: as the data divides them, else at random.
 *
 * @throws as `splitIndices`; DATA_EMPTY when the data's own part has no row
 */
export function divideRows({ columns, parts }: RowSource, { rows, ...options }: DivideOptions): SplitIndices {
  const split = (among: Uint32Array, settings: typeof options): SplitIndices =>
    mapParts(
      splitIndices(gatherRows(columns, among), settings),
      (places) => places.map((place) => among[place]!), // places are below the number of rows
    );
  if (parts === undefined) return split(rows, options);
  const usable = new Set(rows);
  const own = (part: Uint32Array, name: string): Uint32Array => {
    const kept = part.filter((row) => usable.has(row));
    if (kept.length > 0) return kept;
    throw new EspalierError("DATA_EMPTY", `the data's own part "${name}" has no rows with a target`, { part: name });
  };
  const { validation: choose, test: report } = { ...defaultFractions, ...options.fractions };
  let train = own(parts.train, "train");
  /** As large a share of the training rows as it would be of all. */
  const takeOut = (share: number, purpose: string): Uint32Array => {
    const divided = split(train, {
      ...options,
      seed: deriveSeed(options.seed, purpose),
      fractions: { train: 1 - share, validation: share, test: 0 },
    });
    train = divided.train;
    return divided.validation;
  };
  const test = parts.test === undefined ? takeOut(report, "test") : own(parts.test, "test");
  const validation = parts.validation === undefined ? takeOut(choose, "validation") : own(parts.validation, "validation");
  return { train, validation, test };
}

/** Each part changed. */
export function mapParts<T, U>({ train, validation, test }: Parts<T>, change: (part: T) => U): Parts<U> {
  return { train: change(train), validation: change(validation), test: change(test) };
}
