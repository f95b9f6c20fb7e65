import type { RowSource } from "../../core/index.ts";

/** Files that were opened to be learned from: what is in them is known, their rows are not in memory yet. */
export interface TrainingData {
  /** For messages: the paths. */
  readonly name: string;
  /** The columns' names. */
  readonly columns: readonly string[];
  /** The column to predict when nobody says which: the labels of images. */
  readonly defaultTarget?: string;
  /** SHA-256 over the files' bytes. */
  readonly fingerprint: string;
  /** Decisions that a person should know of, as sentences. */
  readonly notes: readonly string[];
  /** Reads the rows, or makes them ready to be read. */
  read(): Promise<ReadRows>;
}

/** Rows, and what a person should know of them. */
export interface ReadRows {
  readonly source: RowSource;
  readonly notes: readonly string[];
}
