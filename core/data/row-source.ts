import type { Columns, ColumnType, Schema } from "../columns.ts";
import { gatherRows, selectColumns } from "./rows.ts";

/** A table whose rows are read by number: small columns are in memory, large ones (images) are read when they are asked for. */
export interface RowSource {
  /** All rows, with the columns of one value a row. */
  readonly columns: Columns;
  /** The types of the columns that only `readRows` gives. */
  readonly large: Schema;
  /** Rows with all columns, in the order of the indices. */
  readRows(indices: Uint32Array): Columns | Promise<Columns>;
  /** Rows that the data itself divides, as folders `train/` and `test/` do. A part that it lacks is taken out of its training rows. */
  readonly parts?: { readonly train: Uint32Array; readonly validation?: Uint32Array; readonly test?: Uint32Array };
}

/** A table in memory as such a source (its tensors stay as compact as they are until a batch needs them), or what is one already. */
export function rowSource(data: Columns | RowSource): RowSource {
  if ("readRows" in data) return data;
  const large: Record<string, ColumnType> = {};
  for (const [name, column] of data.columns) {
    if (column.kind === "tensor")
      large[name] = { kind: "tensor", shape: column.shape, dtype: column.values instanceof Uint8Array ? "uint8" : "float32" };
  }
  const small = [...data.columns.keys()].filter((name) => !Object.hasOwn(large, name));
  return { columns: selectColumns(data, small), large, readRows: (indices) => gatherRows(data, indices) };
}
