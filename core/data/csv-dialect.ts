import { EspalierError } from "../errors.ts";
import { type CsvScanner, escapedField, malformed } from "./csv-scanner.ts";
import { unescapeInto } from "./column-builder.ts";
import { fieldText } from "./field-text.ts";
import { parseNumber } from "./parse-number.ts";

/** What must be known of a CSV file to read its rows. */
export interface CsvDialect {
  /** The delimiter's byte. */
  readonly delimiter: number;
  /** Whether the first record holds names. */
  readonly header: boolean;
  readonly names: readonly string[];
}

/** Looked for in a file whose delimiter is not given, in this order when equally frequent. */
const delimiters: readonly number[] = [44, 59, 9];

/**
 * The delimiter that the first line has most of, outside quotes; a comma when it has none.
 *
 * @param bytes the start of the file, after a byte order mark
 */
export function findDelimiter(bytes: Uint8Array): number {
  const counts = delimiters.map(() => 0);
  let quoted = false;
  let seen = false;
  for (const byte of bytes) {
    if (byte === 34) quoted = !quoted;
    if (quoted) continue;
    if (byte === 10 || byte === 13) {
      if (seen) break;
      continue; // empty lines at the top
    }
    seen = true;
    const place = delimiters.indexOf(byte);
    if (place >= 0) counts[place]! += 1;
  }
  return delimiters[counts.indexOf(Math.max(...counts))]!; // one count a delimiter
}

/** The byte of a delimiter given as text. @throws ARGUMENT_INVALID unless it is one ASCII character that can be one */
export function delimiterByte(delimiter: string): number {
  const byte = delimiter.charCodeAt(0);
  if (delimiter.length !== 1 || byte > 126 || byte === 34 || byte === 10 || byte === 13) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `a delimiter is one ASCII character other than a quote or line end, not ${JSON.stringify(delimiter)}`,
      { delimiter },
    );
  }
  return byte;
}

/**
 * The dialect from the first record, which `scanner` stands on.
 *
 * @param header given, or undefined: names, unless all fields are numbers or empty and one is a number
 * @throws DATA_MALFORMED when two columns have the same name
 */
export function readDialect(
  scanner: CsvScanner,
  { name, delimiter, header }: { readonly name: string; readonly delimiter: number; readonly header: boolean | undefined },
): CsvDialect {
  const fields = Array.from({ length: scanner.count }, (_, i) => scannedText(scanner, i).trim());
  const isNumber = (i: number): boolean => !Number.isNaN(parseNumber(scanner.bytes, scanner.starts[i]!, scanner.ends[i]!)); // i counts fields
  const found = header ?? !(fields.some((_, i) => isNumber(i)) && fields.every((field, i) => field === "" || isNumber(i)));
  const names = fields.map((field, i) => (found && field !== "" ? field : `column_${i + 1}`));
  const seen = new Map<string, number>();
  for (const [i, column] of names.entries()) {
    const before = seen.get(column);
    if (before !== undefined) {
      const hint = found && header === undefined ? "; rename one, or say that there is no header line" : "; rename one";
      throw malformed(name, scanner.recordLine, `columns ${before + 1} and ${i + 1} are both named "${column}"${hint}`, { column });
    }
    seen.set(column, i);
  }
  return { delimiter, header: found, names };
}

/** The text of field `i` of the record that a scanner stands on. */
export function scannedText({ bytes, starts, ends, forms }: CsvScanner, i: number): string {
  const start = starts[i]!; // i counts fields
  const end = ends[i]!;
  if (forms[i] !== escapedField) return fieldText(bytes, start, end);
  const unescaped = new Uint8Array(end - start);
  return fieldText(unescaped, 0, unescapeInto(unescaped, bytes, start, end));
}
