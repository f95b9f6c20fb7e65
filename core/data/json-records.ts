import type { Column, Columns, Schema } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import { openByteReader } from "./byte-reader.ts";
import type { ByteSource } from "./byte-source.ts";
import { malformed } from "./csv-scanner.ts";
import type { DatasetIterator, DatasetState } from "./dataset.ts";
import { type ColumnEvidence, keptTexts, mixedTypes, startEvidence } from "./infer-schema.ts";
import { datasetIterator, readCount } from "./iterator.ts";
import { JsonObjects } from "./json-objects.ts";
import type { TableSettings } from "./table.ts";

/** The first rows of a file of JSON objects: one a line, or in one array. */
export interface JsonSample {
  readonly columns: readonly ColumnEvidence[];
  readonly rows: number;
  readonly complete: boolean;
}

/**
 * Reads the first `settings.sampleRows` objects of a file and finds its columns: every key that one of the objects has, in the order they turn up.
 *
 * @throws DATA_EMPTY without a row; DATA_MALFORMED with the line for anything but objects of numbers, texts, booleans and nulls
 */
export async function sampleJson(source: ByteSource, settings: TableSettings): Promise<JsonSample> {
  const { onBytes, signal } = settings;
  const lines = new JsonObjects(source, settings, await openByteReader(source, { ...(onBytes && { onBytes }), ...(signal && { signal }) }), {
    byte: 0,
    line: 1,
    array: false,
  });
  const columns = new Map<string, ColumnEvidence>();
  const missing = new Set(settings.missing);
  try {
    let rows = 0;
    let record = await lines.next();
    for (; record !== undefined && rows < settings.sampleRows; rows++) {
      for (const [name, value] of Object.entries(record)) {
        const column = columns.get(name) ?? startEvidence(name);
        columns.set(name, column);
        addEvidence(column, plainValue(value, { lines, name }), { source: source.name, line: lines.recordLine, missing });
      }
      record = await lines.next();
    }
    if (rows === 0) throw new EspalierError("DATA_EMPTY", `${source.name} is empty: it holds no rows`, { source: source.name });
    if (columns.size > settings.maxColumns) throw malformed(source.name, 1, `${columns.size} columns; raise maxColumns (${settings.maxColumns})`);
    return { columns: [...columns.values()], rows, complete: record === undefined };
  } finally {
    await lines.close();
  }
}

/**
 * Reads JSON objects as chunks of `settings.chunkRows`. A key that an object lacks is a missing value. Booleans are the texts "true" and "false".
 *
 * State: {byte, line, row, array}, where the next object starts.
 *
 * @throws (from `next`) DATA_MALFORMED with the line, also for a key that the sample did not have; COLUMN_TYPE with line and value
 */
export function readJson(source: ByteSource, schema: Schema, settings: TableSettings, state?: DatasetState): DatasetIterator<Columns> {
  const place =
    state === undefined
      ? { byte: 0, line: 1, array: false }
      : { byte: readCount(state, "byte"), line: readCount(state, "line"), array: state["array"] === true };
  let row = state === undefined ? 0 : readCount(state, "row");
  let lines: JsonObjects | undefined;
  return datasetIterator({
    state() {
      const { byte, line, array } = lines ?? place;
      return { byte, line, row, ...(array && { array }) };
    },
    async next() {
      const { signal } = settings;
      lines ??= new JsonObjects(source, settings, await openByteReader(source, { start: place.byte, ...(signal && { signal }) }), place);
      const records: Record<string, unknown>[] = [];
      const numbers: number[] = [];
      while (records.length < settings.chunkRows) {
        const record = await lines.next();
        if (record === undefined) break;
        for (const name of Object.keys(record)) {
          if (!Object.hasOwn(schema, name)) {
            throw malformed(
              source.name,
              lines.recordLine,
              `column "${name}" is not in the rows from which the columns were found${suggestNames(name, Object.keys(schema))}`,
              { column: name },
            );
          }
        }
        records.push(record);
        numbers.push(lines.recordLine);
      }
      if (records.length === 0) return undefined;
      row += records.length;
      const missing = new Set(settings.missing);
      const reading = { lines, numbers, missing, source: source.name };
      return {
        length: records.length,
        columns: new Map(
          Object.entries(schema).map(([name, type]) => [
            name,
            type.kind === "number" ? numberColumn(records, name, reading) : stringColumn(records, name, reading),
          ]),
        ),
      };
    },
    close: async () => lines?.close(),
  });
}

type Plain = number | string | undefined;

function plainValue(
  value: unknown,
  { lines, name, line = lines.recordLine }: { readonly lines: JsonObjects; readonly name: string; readonly line?: number },
): Plain {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "string") return value;
  throw malformed(
    lines.name,
    line,
    `column "${name}" holds ${Array.isArray(value) ? "a list" : "an object"}; a row has numbers, texts, booleans and nulls only`,
    { column: name },
  );
}

function addEvidence(
  column: ColumnEvidence,
  value: Plain,
  { source, line, missing }: { readonly source: string; readonly line: number; readonly missing: ReadonlySet<string> },
): void {
  if (typeof value === "number") {
    column.numbers += 1;
    column.firstNumber ??= { source, line, text: String(value) };
  } else if (value === undefined || missing.has(value.trim())) column.missing += 1;
  else {
    column.texts += 1;
    if (column.firstTexts.length < keptTexts) column.firstTexts.push({ source, line, text: value });
  }
}

interface Reading {
  readonly lines: JsonObjects;
  /** The line of each record. */
  readonly numbers: readonly number[];
  readonly missing: ReadonlySet<string>;
  readonly source: string;
}

function numberColumn(records: readonly Record<string, unknown>[], name: string, { lines, numbers, missing, source }: Reading): Column {
  const values = Float64Array.from(records, (record, i) => {
    const line = numbers[i]!; // one a record
    const value = plainValue(Object.hasOwn(record, name) ? record[name] : undefined, { lines, name, line });
    if (typeof value === "number") return value;
    if (value === undefined || missing.has(value.trim())) return NaN;
    throw mixedTypes(name, [{ source, line, text: value }]);
  });
  return { kind: "number", values };
}

function stringColumn(records: readonly Record<string, unknown>[], name: string, { lines, numbers, missing }: Reading): Column {
  const places = new Map<string, number>();
  const codes = Int32Array.from(records, (record, i) => {
    const value = plainValue(Object.hasOwn(record, name) ? record[name] : undefined, { lines, name, line: numbers[i]! }); // one a record
    if (value === undefined || missing.has(String(value).trim())) return -1;
    const code = places.get(String(value)) ?? places.size;
    places.set(String(value), code);
    return code;
  });
  return { kind: "string", codes, dictionary: [...places.keys()] };
}
