import type { Command } from "commander";
import { openTable, type ByteSource, type FileColumnType, type Manifest, type OpenedTable, type TableOptions } from "../core/index.ts";
import { fileSource } from "../node/sources/file.ts";
import { list } from "./options.ts";

/** How data files are read: the options that every command with data has. */
export interface DataOptions {
  readonly asText?: readonly string[];
  /** False with `--no-header`; commander sets true otherwise. */
  readonly header?: boolean;
  readonly delimiter?: string;
}

/** Adds the options. */
export function addDataOptions(command: Command): Command {
  return command
    .option("--as-text <columns>", "read these columns as text, whatever they hold (a,b,c)", list)
    .option("--no-header", "the first line holds values, not names: columns are column_1, column_2 ...")
    .option("--delimiter <character>", 'what is between fields; found in the file when left out ("tab" for a tab)');
}

/**
 * Opens data files as one table.
 *
 * @throws FILE_UNREADABLE, and whatever `openTable` throws
 */
export async function openFiles(
  paths: readonly string[],
  { asText = [], header = true, delimiter }: DataOptions,
  options: TableOptions = {},
): Promise<OpenedTable> {
  const sources: ByteSource[] = [];
  for (const path of paths) sources.push(await fileSource(path));
  return openTable(sources, {
    ...options,
    types: { ...options.types, ...Object.fromEntries(asText.map((name) => [name, "string" as const])) },
    ...(header ? {} : { header: false }),
    ...(delimiter !== undefined && { delimiter: delimiter === "tab" ? "\t" : delimiter }),
  });
}

/** Which files hold a bundle's inputs. */
export interface InputFiles {
  readonly paths: readonly string[];
  readonly data: DataOptions;
  /** Whether the target must be there as well. */
  readonly withTarget?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Opens data files for a bundle: its columns have the types that it was trained on, whatever these rows look like.
 *
 * @throws COLUMN_MISSING with the nearest names, and whatever `openFiles` throws
 */
export async function openInputs({ inputs, target }: Manifest, { paths, data, withTarget = false, signal }: InputFiles): Promise<OpenedTable> {
  const types: Record<string, FileColumnType> = {};
  for (const { name, kind } of inputs) if (kind !== "tensor") types[name] = kind;
  // A class is compared as text, however it is written: 1 is 1.0 in a numeric target only.
  if (withTarget) types[target.column] = target.task === "regression" || target.numeric ? "number" : "string";
  return openFiles(paths, data, { types, ...(signal && { signal }) });
}
