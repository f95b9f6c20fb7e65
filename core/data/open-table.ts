import type { Columns, Schema } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import { openByteReader } from "./byte-reader.ts";
import type { ByteSource } from "./byte-source.ts";
import { type CsvSample, readCsv, sampleCsv } from "./csv.ts";
import type { DatasetIterator, DatasetState } from "./dataset.ts";
import { type ColumnEvidence, inferSchema, mergeEvidence, startEvidence } from "./infer-schema.ts";
import { dataset, datasetIterator, readCount, readState } from "./iterator.ts";
import { type JsonSample, readJson, sampleJson } from "./json-records.ts";
import { concatColumns, selectColumns } from "./rows.ts";
import { type Table, type TableOptions, type TableSettings, tableSettings } from "./table.ts";

/** A table and what was decided while it was opened. */
export interface OpenedTable extends Table {
  /** Decisions that a person should know of, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Opens one file, or several that hold parts of one table, as a stream of rows.
 *
 * A sample pass finds the format, the delimiter, the columns and their types; each later pass reads the files again. Several files must have the same columns, in
 * any order; their types are found together.
 *
 * @throws DATA_EMPTY, DATA_MALFORMED, COLUMN_TYPE (see `sampleCsv`, `sampleJson`, `inferSchema`); COLUMN_MISSING when the files have different columns;
 * and whatever the sources throw
 * @example
 * const table = await openTable(memorySource("people.csv", "name,age\nAda,36\n"));
 * for await (const columns of table) console.log(columns.length);
 */
export async function openTable(sources: ByteSource | readonly ByteSource[], options: TableOptions = {}): Promise<OpenedTable> {
  const settings = tableSettings(options);
  const files: SampledFile[] = [];
  for (const source of Array.isArray(sources) ? (sources as readonly ByteSource[]) : [sources as ByteSource])
    files.push(await sampleFile(source, settings)); // Array.isArray does not narrow readonly arrays
  const [first] = files;
  if (first === undefined) throw new EspalierError("ARGUMENT_INVALID", "openTable: there is no file to open; give at least one");
  const { schema, notes } = inferSchema(mergeFiles(files), settings.types);
  const rows = files.every((file) => file.sample.complete) ? files.reduce((sum, file) => sum + file.sample.rows, 0) : undefined;
  const name = files.map(({ source }) => source.name).join(", ");
  const iterate =
    files.length === 1
      ? (state?: DatasetState) => readFile(first, schema, settings, state)
      : (state?: DatasetState) => readFiles(files, schema, settings, state);
  return { ...dataset(rows, iterate), name, schema, notes };
}

/**
 * All rows of a table in memory.
 *
 * @throws whatever reading throws; DATA_EMPTY without rows
 */
export async function readTable(table: Table): Promise<Columns> {
  const chunks: Columns[] = [];
  for await (const columns of table) chunks.push(columns);
  if (chunks.length === 0) throw new EspalierError("DATA_EMPTY", `${table.name} holds no rows`, { source: table.name });
  return concatColumns(chunks);
}

/** A file after its sample pass. */
type SampledFile =
  | { readonly format: "csv"; readonly source: ByteSource; readonly sample: CsvSample }
  | { readonly format: "json-lines"; readonly source: ByteSource; readonly sample: JsonSample };

async function sampleFile(source: ByteSource, settings: TableSettings): Promise<SampledFile> {
  const format = settings.format ?? formatOfName(source.name) ?? (await formatOfBytes(source, settings));
  return format === "csv"
    ? { format, source, sample: await sampleCsv(source, settings) }
    : { format, source, sample: await sampleJson(source, settings) };
}

function formatOfName(name: string): SampledFile["format"] | undefined {
  if (/\.(csv|tsv|tab)(\.gz)?$/i.test(name)) return "csv";
  if (/\.(jsonl|ndjson|json)(\.gz)?$/i.test(name)) return "json-lines";
  return undefined;
}

async function formatOfBytes(source: ByteSource, { signal }: TableSettings): Promise<SampledFile["format"]> {
  const reader = await openByteReader(source, { ...(signal && { signal }) });
  try {
    const bytes = (await reader.read(64)) ?? new Uint8Array(0);
    return /^\s*(\{|\[\s*\{)/.test(new TextDecoder().decode(bytes.subarray(0, 64))) ? "json-lines" : "csv";
  } finally {
    await reader.close();
  }
}

function mergeFiles(files: readonly SampledFile[]): ColumnEvidence[] {
  const merged = new Map<string, ColumnEvidence>();
  for (const [i, { source, sample, format }] of files.entries()) {
    if (i > 0 && format === "csv") checkSameColumns([...merged.keys()], sample.columns, { source, first: files[0]!.source }); // i > 0
    for (const evidence of sample.columns) {
      const column = merged.get(evidence.name) ?? startEvidence(evidence.name);
      merged.set(evidence.name, column);
      mergeEvidence(column, evidence);
    }
  }
  return [...merged.values()];
}

function checkSameColumns(
  names: readonly string[],
  columns: readonly ColumnEvidence[],
  { source, first }: { readonly source: ByteSource; readonly first: ByteSource },
): void {
  const here = columns.map(({ name }) => name);
  const lacking = names.find((name) => !here.includes(name));
  const extra = here.find((name) => !names.includes(name));
  if (lacking === undefined && extra === undefined) return;
  const problem =
    lacking === undefined
      ? `${source.name} has a column "${extra}" that ${first.name} does not have`
      : `${source.name} has no column "${lacking}", which ${first.name} has`;
  const hint = suggestNames(lacking ?? extra ?? "", lacking === undefined ? names : here);
  throw new EspalierError("COLUMN_MISSING", `${problem}${hint}; files read together must have the same columns`, {
    source: source.name,
    column: lacking ?? extra,
  });
}

function readFile(file: SampledFile, schema: Schema, settings: TableSettings, state?: DatasetState): DatasetIterator<Columns> {
  return file.format === "csv" ? readCsv(file.source, file.sample.dialect, schema, settings, state) : readJson(file.source, schema, settings, state);
}

/** One file after the other, columns in the order of the schema. State: {file, place}. */
function readFiles(files: readonly SampledFile[], schema: Schema, settings: TableSettings, state?: DatasetState): DatasetIterator<Columns> {
  let index = state === undefined ? 0 : readCount(state, "file");
  const open = (place?: DatasetState): DatasetIterator<Columns> | undefined => {
    const file = files[index];
    return file && readFile(file, schema, settings, place);
  };
  let current = open(state === undefined || index >= files.length ? undefined : readState(state, "place"));
  return datasetIterator({
    state: () => ({ file: index, ...(current && { place: current.state() }) }),
    async next() {
      while (current !== undefined) {
        const { done, value } = await current.next();
        if (done !== true) return selectColumns(value, Object.keys(schema));
        index += 1;
        current = open();
      }
      return undefined;
    },
    close: async () => {
      await current?.return?.();
    },
  });
}
