import {
  fromColumns,
  knownWindows,
  lastWindows,
  openTable,
  readTable,
  type ByteSource,
  type FileColumnType,
  type ForecastInputs,
  type Manifest,
  type OpenedTable,
  type TableOptions,
} from "../../core/index.ts";
import { fileSource } from "./file.ts";
import { areImages, openImageInputs } from "./images/image-inputs.ts";

/** How data files are read, where a user says so: plain JSON, kept in run records. */
export interface ReadingOptions {
  /** Columns that are text, whatever they hold. */
  readonly asText?: readonly string[];
  /** False: the first line holds values. Absent: it is found. */
  readonly header?: boolean;
  /** One character, or "tab". */
  readonly delimiter?: string;
  /** The side in pixels that images are brought to. */
  readonly imageSize?: number;
  /** What images are brought to where a trained body reads them. */
  readonly imageShape?: readonly [channels: number, height: number, width: number];
}

/**
 * Opens data files as one table.
 *
 * @throws FILE_UNREADABLE, and whatever `openTable` throws
 */
export async function openFiles(
  paths: readonly string[],
  { asText = [], header, delimiter }: ReadingOptions,
  options: TableOptions = {},
): Promise<OpenedTable> {
  const sources: ByteSource[] = [];
  for (const path of paths) sources.push(await fileSource(path));
  return openTable(sources, {
    ...options,
    types: { ...options.types, ...Object.fromEntries(asText.map((name) => [name, "string" as const])) },
    ...(header !== undefined && { header }),
    ...(delimiter !== undefined && { delimiter: delimiter === "tab" ? "\t" : delimiter }),
  });
}

/** A table as the windows of a forecast: all whose future is known, or the last of each series. */
async function openWindows(table: OpenedTable, { withTarget, ...inputs }: ForecastInputs & { readonly withTarget: boolean }): Promise<OpenedTable> {
  const rows = await readTable(table);
  const windows = withTarget ? knownWindows(rows, inputs) : lastWindows(rows, inputs);
  return { ...fromColumns(windows), name: table.name, schema: table.schema, notes: table.notes };
}

/** Which files hold a bundle's inputs. */
export interface InputFiles {
  readonly paths: readonly string[];
  readonly reading: ReadingOptions;
  /** Whether the target must be there as well. */
  readonly withTarget?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Opens data files, or images, for a bundle: its columns have the types that it was trained on, whatever these rows look like.
 *
 * @throws COLUMN_MISSING with the nearest names, and whatever `openFiles` and `openImageInputs` throw
 */
export async function openInputs(manifest: Manifest, { paths, reading, withTarget = false, signal }: InputFiles): Promise<OpenedTable> {
  if (await areImages(paths)) return openImageInputs(manifest, { paths, withTarget, ...(signal && { signal }) });
  const { inputs, target, features, series } = manifest;
  const types: Record<string, FileColumnType> = {};
  for (const { name, kind } of inputs) if (kind !== "tensor") types[name] = kind;
  for (const { kind, column } of features.features) if (kind === "series") types[column] = "number";
  if (withTarget) types[target.column] = target.task === "regression" || target.numeric ? "number" : "string";
  const table = await openFiles(paths, reading, { types, ...(signal && { signal }) });
  return series === undefined ? table : openWindows(table, { features, target, series, withTarget });
}
