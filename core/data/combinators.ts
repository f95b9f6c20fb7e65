import type { Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import type { Dataset, DatasetIterator, DatasetState } from "./dataset.ts";
import { dataset, datasetIterator, readCount, readState } from "./iterator.ts";
import { gatherRows, sliceRows } from "./rows.ts";

/**
 * Each item changed. State: the source's.
 *
 * @param change pure: a resumed pass must give the same items; at most one call runs at a time
 */
export function map<T, U>(source: Dataset<T>, change: (item: T) => U | Promise<U>): Dataset<U> {
  return dataset(source.rows, (state) => {
    const iterator = source.iterate(state);
    return datasetIterator<U>({
      state: () => iterator.state(),
      async next() {
        const { done, value } = await iterator.next();
        return done === true ? undefined : change(value);
      },
      close: () => closeIterator(iterator),
    });
  });
}

/** The rows for which `keep` holds; items without such a row are passed over. State: the source's. */
export function filter(source: Dataset<Columns>, keep: (columns: Columns, row: number) => boolean): Dataset<Columns> {
  return byRows(source, { rows: undefined, start: 0 }, (columns) => select(columns, (row) => keep(columns, row)));
}

/** Every `count`-th row from row `index` on: disjoint parts that make the whole, for several readers. State: {row, source}. */
export function shard(source: Dataset<Columns>, { index, count }: { readonly index: number; readonly count: number }): Dataset<Columns> {
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index) || index < 0 || index >= count) {
    throw new EspalierError("ARGUMENT_INVALID", `a shard's index is a whole number from 0 and below its count, not ${index} of ${count}`, {
      index,
      count,
    });
  }
  const rows = source.rows === undefined ? undefined : Math.ceil((source.rows - index) / count);
  return byRows(source, { rows, start: 0 }, (columns, first) => select(columns, (row) => (first + row) % count === index));
}

/** The first `rows` rows; the source is not read further. State: {row, source}. */
export function take(source: Dataset<Columns>, rows: number): Dataset<Columns> {
  checkRows("take", rows);
  const total = source.rows === undefined ? undefined : Math.min(source.rows, rows);
  return byRows(source, { rows: total, start: 0, end: rows }, (columns, first) => sliceRows(columns, 0, Math.min(columns.length, rows - first)));
}

/** All but the first `rows` rows. State: {row, source}. */
export function skip(source: Dataset<Columns>, rows: number): Dataset<Columns> {
  checkRows("skip", rows);
  const total = source.rows === undefined ? undefined : Math.max(0, source.rows - rows);
  return byRows(source, { rows: total, start: 0 }, (columns, first) =>
    sliceRows(columns, Math.min(columns.length, Math.max(0, rows - first)), columns.length),
  );
}

/** Frees what a pass holds. */
export async function closeIterator(iterator: DatasetIterator<unknown>): Promise<void> {
  await iterator.return?.();
}

interface RowPlan {
  readonly rows: number | undefined;
  readonly start: number;
  /** The source's row at which the pass ends. */
  readonly end?: number;
}

/** Items changed by a rule that knows the number of their first row in the source. Items that become empty are passed over. */
function byRows(source: Dataset<Columns>, { rows, end = Infinity }: RowPlan, change: (columns: Columns, first: number) => Columns): Dataset<Columns> {
  return dataset(rows, (state?: DatasetState) => {
    const iterator = source.iterate(state === undefined ? undefined : readState(state, "source"));
    let first = state === undefined ? 0 : readCount(state, "row");
    return datasetIterator<Columns>({
      state: () => ({ row: first, source: iterator.state() }),
      async next() {
        while (first < end) {
          const { done, value } = await iterator.next();
          if (done === true) return undefined;
          const changed = change(value, first);
          first += value.length;
          if (changed.length > 0) return changed;
        }
        return undefined;
      },
      close: () => closeIterator(iterator),
    });
  });
}

function select(columns: Columns, keep: (row: number) => boolean): Columns {
  const kept: number[] = [];
  for (let row = 0; row < columns.length; row++) if (keep(row)) kept.push(row);
  return kept.length === columns.length ? columns : gatherRows(columns, kept);
}

function checkRows(name: string, rows: number): void {
  if (Number.isSafeInteger(rows) && rows >= 0) return;
  throw new EspalierError("ARGUMENT_INVALID", `${name}: the number of rows is a whole number from 0, not ${rows}`, { rows });
}
