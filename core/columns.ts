/** Numbers with a mark for each missing one. */
export interface NumberColumn {
  readonly kind: "number";
  /** One value a row; NaN where it is missing. */
  readonly values: Float64Array;
}

/** Strings, each stored once. */
export interface StringColumn {
  readonly kind: "string";
  /** One index into `dictionary` a row; -1 where the value is missing. */
  readonly codes: Int32Array;
  readonly dictionary: readonly string[];
}

/** One small tensor a row: an image, an embedding. */
export interface TensorColumn {
  readonly kind: "tensor";
  /** The shape of one row's tensor. */
  readonly shape: readonly number[];
  /** Rows one after the other, row-major. Images are bytes: a quarter of the memory. */
  readonly values: TensorValues;
}

/** The memory of a tensor column. */
export type TensorValues = Float32Array | Uint8Array;

/** One column of a table. */
export type Column = NumberColumn | StringColumn | TensorColumn;

/** Some rows of a table, held by column. Columns keep their order. */
export interface Columns {
  /** The number of rows, the same in every column. */
  readonly length: number;
  readonly columns: ReadonlyMap<string, Column>;
}

/** What is known of a column before reading it. */
export type ColumnType =
  | { readonly kind: "number" }
  | { readonly kind: "string" }
  | { readonly kind: "tensor"; readonly shape: readonly number[]; /** Default float32. */ readonly dtype?: "float32" | "uint8" };

/** A table's columns and their types, in order. */
export type Schema = Readonly<Record<string, ColumnType>>;
