import type { Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import type { Dataset, DatasetState } from "./dataset.ts";
import { dataset, datasetIterator, readCount, readState } from "./iterator.ts";
import { concatColumns, sliceRows } from "./rows.ts";

/** How rows are grouped. */
export interface BatchOptions {
  readonly rows: number;
  /** Leaves out a last batch of fewer rows; default false. */
  readonly dropLast?: boolean;
}

/**
 * Chunks of exactly `rows` rows, whatever the source's chunks are.
 *
 * State: {source, row}: the place of the source's item in which the next batch begins, and the row in it. Going on reads that item again.
 *
 * @throws ARGUMENT_INVALID for a size below 1
 */
export function batch(source: Dataset<Columns>, { rows, dropLast = false }: BatchOptions): Dataset<Columns> {
  if (!Number.isSafeInteger(rows) || rows < 1)
    throw new EspalierError("ARGUMENT_INVALID", `a batch has a whole number of rows from 1, not ${rows}`, { rows });
  const total = source.rows === undefined || !dropLast ? source.rows : source.rows - (source.rows % rows);
  return dataset(total, (state) => {
    const iterator = source.iterate(state === undefined ? undefined : readState(state, "source"));
    let begin: DatasetState = iterator.state();
    let row = state === undefined ? 0 : readCount(state, "row");
    let item: Columns | undefined;
    const refill = async (): Promise<boolean> => {
      begin = iterator.state();
      const { done, value } = await iterator.next();
      item = done === true ? undefined : value;
      return item !== undefined;
    };
    return datasetIterator({
      state: () => ({ source: begin, row }),
      async next() {
        const parts: Columns[] = [];
        let length = 0;
        while (length < rows) {
          if (item === undefined && !(await refill())) break;
          if (item === undefined) break; // refill said so
          const end = Math.min(item.length, row + rows - length);
          if (end > row) parts.push(sliceRows(item, row, end));
          length += end - row;
          row = end;
          if (row < item.length) continue;
          item = undefined;
          row = 0;
          begin = iterator.state();
        }
        return length === 0 || (dropLast && length < rows) ? undefined : concatColumns(parts);
      },
      close: async () => {
        await iterator.return?.();
      },
    });
  });
}
