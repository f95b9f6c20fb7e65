import type { Columns, Schema } from "../columns.ts";
import type { Dataset } from "./dataset.ts";

/** A data set of table rows: a stream of `Columns` chunks whose columns and types are known. */
export interface Table extends Dataset<Columns> {
  /** Where it comes from, for messages. */
  readonly name: string;
  readonly schema: Schema;
}

/** The types that a file's columns may be declared as. */
export type FileColumnType = "number" | "string";

/** How a file is read. What is left out is found in the file. */
export interface TableOptions {
  /** "csv" (any delimiter) or "json-lines" (one object a line, or one array of objects). Default: by the name's ending, else by the first byte. */
  readonly format?: "csv" | "json-lines";
  /** One character. Default: the one of , ; tab that the first line has most of. */
  readonly delimiter?: string;
  /** Whether the first line holds the columns' names. Default: it does unless all its fields are numbers; columns are then column_1, column_2 and so on. */
  readonly header?: boolean;
  /** Types that are declared rather than found. */
  readonly types?: Readonly<Record<string, FileColumnType>>;
  /** Rows from which the other types are found; Infinity reads the file once more as a whole. Default 10 000. */
  readonly sampleRows?: number;
  /** Texts that stand for a missing value, spaces around them aside. Default `missingTexts`. */
  readonly missing?: readonly string[];
  /** Rows of a chunk. Default 8192. */
  readonly chunkRows?: number;
  /** Default 1 MiB. */
  readonly maxFieldBytes?: number;
  /** Default 16 384. */
  readonly maxColumns?: number;
  /** Sees every byte of the sample pass, as it is stored; with `sampleRows: Infinity` that is the file: for fingerprints. */
  readonly onBytes?: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/** The options with their defaults filled in. */
export type TableSettings = Required<Omit<TableOptions, "format" | "delimiter" | "header" | "onBytes" | "signal">> &
  Pick<TableOptions, "format" | "delimiter" | "header" | "onBytes" | "signal">;

/** What files usually write for a value that is not there. "None" and "-" are left as text: too many tables mean them. */
export const missingTexts: readonly string[] = ["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "Null", "null", "?"];

/** Fills in the defaults of reading. */
export function tableSettings(options: TableOptions): TableSettings {
  return {
    types: {},
    sampleRows: 10_000,
    missing: missingTexts,
    chunkRows: 8192,
    maxFieldBytes: 2 ** 20,
    maxColumns: 16_384,
    ...options,
  };
}
