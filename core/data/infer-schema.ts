import type { Schema } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import type { FileColumnType } from "./table.ts";

/** What a sample of rows says about a column's type. Two files' evidence merges. */
export interface ColumnEvidence {
  readonly name: string;
  numbers: number;
  texts: number;
  missing: number;
  /** Where the first number stands. */
  firstNumber: Place | undefined;
  /** Where the first texts stand, a few. */
  readonly firstTexts: Place[];
}

/** A value in a file, for messages. */
export interface Place {
  readonly source: string;
  readonly line: number;
  readonly text: string;
}

/** A schema and what was decided on the way, for people. */
export interface InferredSchema {
  readonly schema: Schema;
  readonly notes: readonly string[];
}

/** Texts that evidence keeps for messages. */
export const keptTexts = 3;

/** Above this share of numbers, a column's texts are taken for mistakes. Real mixed columns (ticket numbers) have fewer numbers. */
const mistakeShare = 0.8;

/** So few texts among more numbers are mistakes as well, in a table of a few rows. */
const fewMistakes = 5;

/** Evidence before the first row. */
export function startEvidence(name: string): ColumnEvidence {
  return { name, numbers: 0, texts: 0, missing: 0, firstNumber: undefined, firstTexts: [] };
}

/** Adds one file's evidence on a column to another's. */
export function mergeEvidence(to: ColumnEvidence, from: ColumnEvidence): void {
  to.numbers += from.numbers;
  to.texts += from.texts;
  to.missing += from.missing;
  to.firstNumber ??= from.firstNumber;
  to.firstTexts.push(...from.firstTexts.slice(0, keptTexts - to.firstTexts.length));
}

/**
 * Types from evidence: numbers where all values are numbers, else text. A column without any value is text.
 *
 * @param types declared types, which win
 * @throws COLUMN_TYPE for a column of numbers with some text in it ("mixed types in a column"), naming lines and values; COLUMN_MISSING when a declared
 * type names no column
 */
export function inferSchema(evidence: readonly ColumnEvidence[], types: Readonly<Record<string, FileColumnType>>): InferredSchema {
  const names = evidence.map(({ name }) => name);
  for (const name of Object.keys(types)) {
    if (!names.includes(name)) {
      throw new EspalierError("COLUMN_MISSING", `the data has no column "${name}"${suggestNames(name, names)}`, { column: name });
    }
  }
  const notes: string[] = [];
  // Entries, not assignments: a column may be called __proto__.
  const schema: Schema = Object.fromEntries(
    evidence.map((column) => [
      column.name,
      { kind: (Object.hasOwn(types, column.name) ? types[column.name] : undefined) ?? inferType(column, notes) },
    ]),
  );
  return { schema, notes };
}

function inferType(column: ColumnEvidence, notes: string[]): FileColumnType {
  const { numbers, texts } = column;
  if (texts === 0) return numbers > 0 ? "number" : "string";
  if (numbers === 0) return "string";
  const mostlyNumbers = numbers >= mistakeShare * (numbers + texts) || (texts <= fewMistakes && numbers > texts);
  if (mostlyNumbers) throw mixedTypes(column.name, column.firstTexts, { numbers, texts });
  notes.push(
    `column "${column.name}" holds ${numbers} numbers and ${texts} texts (${formatPlaces(column.firstTexts.slice(0, 1))}); it is read as text`,
  );
  return "string";
}

/** The error of a text in a column of numbers. */
export function mixedTypes(column: string, places: readonly Place[], counts?: { readonly numbers: number; readonly texts: number }): EspalierError {
  const found = counts === undefined ? "" : ` (${counts.numbers} numbers, ${counts.texts} ${counts.texts === 1 ? "text" : "texts"})`;
  const first = places[0];
  return new EspalierError(
    "COLUMN_TYPE",
    `mixed types in column "${column}"${found}: text among numbers at ${formatPlaces(places)}; ` +
      `correct or empty the value, or declare the column as text (types: {${JSON.stringify(column)}: "string"}, or --as-text on the command line)`,
    { column, line: first?.line, source: first?.source, value: first?.text, ...counts },
  );
}

function formatPlaces(places: readonly Place[]): string {
  return places
    .map(({ source, line, text }) => `${source}, line ${line}: ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)}`)
    .join("; ");
}
