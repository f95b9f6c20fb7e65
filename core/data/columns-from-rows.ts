import type { InputField } from "../bundle/manifest.ts";
import type { Column, Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";

/**
 * Rows as objects, as a prediction request sends them, checked against the model's inputs and held by column.
 *
 * A number may come as text of a number, and a category as a number or boolean. null, a missing key and NaN are missing values. Keys that
 * are not inputs are ignored, so that a whole record can be sent.
 *
 * @param options.strict refuses a missing value in a field that no training row left out; default true. Otherwise the value counts as missing.
 * @throws COLUMN_MISSING naming the field, the row (from 1) and the nearest key; COLUMN_TYPE naming the field, the row and the value
 */
export function columnsFromRows(
  rows: readonly Readonly<Record<string, unknown>>[],
  inputs: readonly InputField[],
  { strict = true }: { readonly strict?: boolean } = {},
): Columns {
  const columns = new Map<string, Column>();
  for (const field of inputs) columns.set(field.name, columnOf(rows, field, strict));
  return { length: rows.length, columns };
}

function columnOf(rows: readonly Readonly<Record<string, unknown>>[], field: InputField, strict: boolean): Column {
  const read = (row: number): unknown => {
    const record = rows[row]!; // rows are counted below
    const value = Object.hasOwn(record, field.name) ? record[field.name] : undefined;
    if (value !== undefined && value !== null) return value;
    if (strict && !field.optional) throw missingError(record, field.name, row);
    return undefined;
  };
  switch (field.kind) {
    case "number":
      return { kind: "number", values: Float64Array.from(rows, (_, row) => toNumber(read(row), field.name, row)) };
    case "string": {
      const places = new Map<string, number>();
      const codes = Int32Array.from(rows, (_, row) => {
        const text = toText(read(row), field.name, row);
        if (text === undefined) return -1;
        const code = places.get(text) ?? places.size;
        places.set(text, code);
        return code;
      });
      return { kind: "string", codes, dictionary: [...places.keys()] };
    }
    case "tensor": {
      const size = field.shape.reduce((product, n) => product * n, 1);
      const values = new Float32Array(rows.length * size);
      for (let row = 0; row < rows.length; row++) values.set(toFlat(read(row), field, row), row * size);
      return { kind: "tensor", shape: field.shape, values };
    }
    default:
      return field.kind satisfies never;
  }
}

function toNumber(value: unknown, name: string, row: number): number {
  if (value === undefined) return NaN;
  if (typeof value === "boolean") return value ? 1 : 0;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  if (typeof number === "number" && Number.isNaN(number) && value === number) return NaN;
  throw typeError(name, row, `must be a number, not ${printed(value)}`);
}

function toText(value: unknown, name: string, row: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return String(value);
  throw typeError(name, row, `must be text, not ${printed(value)}`);
}

/** A tensor of one row, flat or nested to its shape. */
function toFlat(value: unknown, field: InputField, row: number): number[] {
  const refuse = (): never => {
    throw typeError(field.name, row, `must be numbers of shape [${field.shape.join(", ")}], not ${printed(value)}`);
  };
  const size = field.shape.reduce((product, n) => product * n, 1);
  const numbersOf = (items: readonly unknown[]): number[] =>
    items.map((item) => (typeof item === "number" && Number.isFinite(item) ? item : refuse()));
  const flatten = (item: unknown, depth: number): number[] => {
    if (!Array.isArray(item) || item.length !== field.shape[depth]) return refuse();
    return depth === field.shape.length - 1 ? numbersOf(item) : item.flatMap((part) => flatten(part, depth + 1));
  };
  if (Array.isArray(value) && value.length === size && !value.some(Array.isArray)) return numbersOf(value);
  return flatten(value, 0);
}

function missingError(record: Readonly<Record<string, unknown>>, name: string, row: number): EspalierError {
  const present = Object.hasOwn(record, name);
  const hint = present ? "; every row of the training data had a value" : suggestNames(name, Object.keys(record));
  return new EspalierError("COLUMN_MISSING", `row ${row + 1} has no ${present ? "value in" : "column"} "${name}"${hint}`, {
    column: name,
    row: row + 1,
  });
}

function typeError(name: string, row: number, problem: string): EspalierError {
  return new EspalierError("COLUMN_TYPE", `column "${name}", row ${row + 1}: ${problem}`, { column: name, row: row + 1 });
}

function printed(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
