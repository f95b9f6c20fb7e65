import type { Columns } from "../columns.ts";
import type { Dataset } from "./dataset.ts";
import { dataset, datasetIterator, readCount } from "./iterator.ts";
import { gatherRows, sliceRows } from "./rows.ts";
import type { RowAccess } from "./shuffle.ts";

/**
 * A table in memory as a data set. State: {row}.
 *
 * @param options.chunkRows rows of an item; default 8192
 */
export function fromColumns(columns: Columns, { chunkRows = 8192 }: { readonly chunkRows?: number } = {}): Dataset<Columns> & RowAccess {
  const iterate: Dataset<Columns>["iterate"] = (state) => {
    let row = state === undefined ? 0 : readCount(state, "row");
    return datasetIterator({
      state: () => ({ row }),
      next() {
        if (row >= columns.length) return undefined;
        const start = row;
        row = Math.min(columns.length, start + chunkRows);
        return sliceRows(columns, start, row);
      },
    });
  };
  return { ...dataset(columns.length, iterate), rows: columns.length, rowsAt: (indices) => gatherRows(columns, indices) };
}
