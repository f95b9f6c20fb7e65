import type { Columns, Schema } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { type ByteReader, openByteReader, refuseBinary } from "./byte-reader.ts";
import type { ByteSource } from "./byte-source.ts";
import { type ColumnBuilder, numberBuilder, stringBuilder } from "./column-builder.ts";
import { fieldText } from "./field-text.ts";
import { CsvScanner, escapedField, malformed } from "./csv-scanner.ts";
import { type CsvDialect, delimiterByte, findDelimiter, readDialect, scannedText } from "./csv-dialect.ts";
import type { DatasetIterator, DatasetState } from "./dataset.ts";
import { datasetIterator, readCount } from "./iterator.ts";
import { type ColumnEvidence, keptTexts, mixedTypes, startEvidence } from "./infer-schema.ts";
import { type MissingMatcher, missingMatcher } from "./missing-matcher.ts";
import { parseNumber } from "./parse-number.ts";
import type { TableSettings } from "./table.ts";

/** Bytes that are asked for at a time; files give larger pieces. */
const readBytes = 2 ** 16;

/** The first rows of a CSV file: its dialect, and what its columns seem to hold. */
export interface CsvSample {
  readonly dialect: CsvDialect;
  readonly columns: readonly ColumnEvidence[];
  readonly rows: number;
  /** Whether the sample is the whole file: then `rows` are its rows. */
  readonly complete: boolean;
}

/**
 * Reads the first `settings.sampleRows` rows of a CSV file and finds its dialect and what its columns hold.
 *
 * @throws DATA_EMPTY without a row; DATA_MALFORMED with the line for a row of another length and whatever `CsvScanner` refuses
 */
export async function sampleCsv(source: ByteSource, settings: TableSettings): Promise<CsvSample> {
  const { onBytes, signal } = settings;
  const reader = await openByteReader(source, { ...(onBytes && { onBytes }), ...(signal && { signal }) });
  try {
    const first = withoutByteOrderMark((await reader.read(readBytes)) ?? new Uint8Array(0));
    refuseBinary(source.name, first.bytes);
    const delimiter = settings.delimiter === undefined ? findDelimiter(first.bytes) : delimiterByte(settings.delimiter);
    const scanner = startScanner(source, settings, { delimiter, line: 1, afterReturn: false });
    scanner.push(first.bytes);
    if (!(await nextRecord(scanner, reader)))
      throw new EspalierError("DATA_EMPTY", `${source.name} is empty: it holds no rows`, { source: source.name });
    const dialect = readDialect(scanner, { name: source.name, delimiter, header: settings.header });
    const columns = dialect.names.map(startEvidence);
    const missing = missingMatcher(new Set(settings.missing));
    let rows = 0;
    let more = dialect.header ? await nextRecord(scanner, reader) : true;
    for (; more && rows < settings.sampleRows; rows++) {
      checkCount(scanner, source.name, dialect);
      for (let i = 0; i < columns.length; i++) addEvidence(columns[i]!, scanner, i, { source: source.name, missing });
      more = scanner.next() || (await nextRecord(scanner, reader));
    }
    if (rows === 0) throw new EspalierError("DATA_EMPTY", `${source.name} has a header line but no rows below it`, { source: source.name });
    return { dialect, columns, rows, complete: !more };
  } finally {
    await reader.close();
  }
}

/**
 * Reads a CSV file's rows as chunks of `settings.chunkRows`.
 *
 * State: {byte, line, row, afterReturn}, where the next row starts.
 *
 * @throws (from `next`) DATA_MALFORMED with the line; COLUMN_TYPE with line and value for text in a column of numbers
 */
export function readCsv(
  source: ByteSource,
  dialect: CsvDialect,
  schema: Schema,
  settings: TableSettings,
  state?: DatasetState,
): DatasetIterator<Columns> {
  const start = state === undefined ? 0 : readCount(state, "byte");
  let row = state === undefined ? 0 : readCount(state, "row");
  const line = state === undefined ? 1 : readCount(state, "line");
  const scanner = startScanner(source, settings, { delimiter: dialect.delimiter, line, afterReturn: state?.afterReturn === true });
  const kinds = dialect.names.map((name) => schema[name]?.kind);
  const builders = dialect.names.map((_, i) => startBuilder(kinds[i], scanner, { settings, name: source.name }));
  let reader: ByteReader | undefined;
  let marked = 0; // bytes of a byte order mark, which the scanner does not see

  const open = async (): Promise<ByteReader> => {
    const opened = await openByteReader(source, { start, ...(settings.signal && { signal: settings.signal }) });
    reader = opened;
    if (start > 0) return opened;
    const first = withoutByteOrderMark((await opened.read(readBytes)) ?? new Uint8Array(0));
    marked = first.marked;
    scanner.push(first.bytes);
    if (dialect.header) await nextRecord(scanner, opened);
    return opened;
  };

  return datasetIterator({
    state: () => ({ byte: start + marked + scanner.taken, line: scanner.line, row, ...(scanner.afterReturn && { afterReturn: true }) }),
    async next() {
      const bytes = reader ?? (await open());
      let length = 0;
      while (length < settings.chunkRows && (scanner.next() || (await nextRecord(scanner, bytes)))) {
        checkCount(scanner, source.name, dialect);
        addRow(builders, scanner, { source: source.name, names: dialect.names });
        length += 1;
      }
      if (length === 0) return undefined;
      row += length;
      return { length, columns: new Map(builders.map((builder, i) => [dialect.names[i]!, builder.take()])) }; // a builder a name
    },
    close: async () => reader?.close(),
  });
}

/** Goes on to the next record, reading as much as it takes. */
async function nextRecord(scanner: CsvScanner, reader: ByteReader): Promise<boolean> {
  while (!scanner.next()) {
    // As many bytes as already wait: a record in many small pieces is looked through a logarithm of times, not once a piece.
    const bytes = await reader.read(Math.max(readBytes, scanner.waiting));
    if (bytes === undefined) {
      scanner.end();
      return scanner.next();
    }
    scanner.push(bytes);
  }
  return true;
}

function startScanner(
  source: ByteSource,
  { maxFieldBytes, maxColumns }: TableSettings,
  place: { readonly delimiter: number; readonly line: number; readonly afterReturn: boolean },
): CsvScanner {
  return new CsvScanner({ name: source.name, maxFieldBytes, maxColumns, ...place });
}

function startBuilder(
  kind: string | undefined,
  scanner: CsvScanner,
  { settings, name }: { readonly settings: TableSettings; readonly name: string },
): ColumnBuilder {
  const missing = new Set(settings.missing);
  if (kind === "number") return numberBuilder(missingMatcher(missing));
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return stringBuilder(missing, (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch (error) {
      const wrong = malformed(
        name,
        scanner.recordLine,
        `bytes that are not UTF-8, near ${JSON.stringify(fieldText(bytes, 0, bytes.length).slice(0, 40))}; save the file as UTF-8`,
      );
      throw new EspalierError(wrong.code, wrong.message, wrong.details, { cause: error });
    }
  });
}

function addRow(builders: readonly ColumnBuilder[], scanner: CsvScanner, file: { readonly source: string; readonly names: readonly string[] }): void {
  const { bytes, starts, ends, forms } = scanner;
  for (let i = 0; i < builders.length; i++) {
    if (builders[i]!.add(bytes, starts[i]!, ends[i]!, forms[i]!)) continue; // counts were compared
    throw mixedTypes(file.names[i]!, [{ source: file.source, line: scanner.recordLine, text: scannedText(scanner, i) }]);
  }
}

function addEvidence(
  column: ColumnEvidence,
  scanner: CsvScanner,
  i: number,
  { source, missing }: { readonly source: string; readonly missing: MissingMatcher },
): void {
  const start = scanner.starts[i]!; // counts were compared
  const end = scanner.ends[i]!;
  if (start !== end && !Number.isNaN(parseNumber(scanner.bytes, start, end))) {
    column.numbers += 1;
    column.firstNumber ??= { source, line: scanner.recordLine, text: scannedText(scanner, i) };
    return;
  }
  if (scanner.forms[i] === escapedField || !missing(scanner.bytes, start, end)) {
    column.texts += 1;
    if (column.firstTexts.length < keptTexts) column.firstTexts.push({ source, line: scanner.recordLine, text: scannedText(scanner, i) });
  } else column.missing += 1;
}

function checkCount(scanner: CsvScanner, source: string, { names, header }: CsvDialect): void {
  if (scanner.count === names.length) return;
  const [few, many] = [scanner.count < names.length, scanner.count > names.length];
  const problem = `${few ? "too few" : "too many"} fields: ${scanner.count} found, ${names.length} expected (as in the ${header ? "header" : "first"} line)`;
  const hint = many ? "; enclose a field that holds a delimiter in quotes" : "";
  throw malformed(source, scanner.recordLine, `${problem}${hint}`, { expected: names.length, found: scanner.count });
}

function withoutByteOrderMark(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly marked: number } {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return { bytes: bytes.subarray(marked), marked };
}
