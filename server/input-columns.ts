import { elementCount, EspalierError, formatShape, nearestNames, type Column, type Columns, type InputField, type Manifest } from "../core/index.ts";
import { show } from "./json-fields.ts";

/** Where a cell stands in the request, for messages: `(row) => "instances[3].age"`. */
export type PlaceOf = (row: number) => string;

/**
 * Makes a column of one JSON value a row. A missing value (absent or null) is taken where training rows missed some.
 *
 * @param cells for a number or string a value, or a list of that one value; for a tensor lists nested to the field's shape (with or without its dimensions of 1), or one flat list
 * @throws COLUMN_MISSING for a missing value, COLUMN_TYPE for a wrong type, REQUEST_INVALID for a wrong shape; each names the place
 */
export function columnFromCells(field: InputField, cells: readonly unknown[], placeOf: PlaceOf): Column {
  switch (field.kind) {
    case "number":
      return { kind: "number", values: Float64Array.from(cells, (cell, row) => numberCell(field, unwrap(cell), placeOf(row))) };
    case "string":
      return stringColumn(cells.map((cell, row) => stringCell(field, unwrap(cell), placeOf(row))));
    case "tensor":
      return tensorColumn(field, cells, placeOf);
    default:
      return field.kind satisfies never;
  }
}

/**
 * Puts a request's columns into the model's order and fills in optional ones that it left out.
 *
 * @param given columns by name, all of `length` rows
 * @param names lists every name that the request had, known or not, so that a misspelt one is found
 * @throws COLUMN_MISSING naming the column, and the nearest name that the request had
 */
export function completeColumns(
  manifest: Manifest,
  given: ReadonlyMap<string, Column>,
  { length, names }: { length: number; names: () => Iterable<string> },
): Columns {
  const known = new Set(manifest.inputs.map(({ name }) => name));
  let strangers: readonly string[] | undefined; // only looked for when something is missing
  const columns = new Map<string, Column>();
  for (const field of manifest.inputs) {
    const column = given.get(field.name);
    if (column === undefined) strangers ??= [...names()].filter((name) => !known.has(name));
    const misspelt = column === undefined ? nearestNames(field.name, strangers ?? [])[0] : undefined;
    if (column === undefined && (!field.optional || misspelt !== undefined || field.kind === "tensor"))
      throw missingColumn(field, manifest, misspelt);
    columns.set(field.name, column ?? missingValues(field, length));
  }
  return { length, columns };
}

function missingColumn(field: InputField, manifest: Manifest, misspelt?: string): EspalierError {
  const names = manifest.inputs.map(({ name }) => name);
  const shown = names.length > 12 ? `${names.slice(0, 12).join(", ")} and ${names.length - 12} more` : names.join(", ");
  const hint = misspelt === undefined ? `model "${manifest.name}" takes ${shown}` : `there is "${misspelt}": is that what is meant?`;
  return new EspalierError("COLUMN_MISSING", `column "${field.name}" is missing; ${hint}`, { column: field.name, expected: names });
}

/** One number. NaN stands for a missing value. */
export function numberCell(field: InputField, cell: unknown, place: string): number {
  if (typeof cell === "number") {
    if (Number.isFinite(cell)) return cell;
    throw new EspalierError("COLUMN_TYPE", `${place}: column "${field.name}" takes finite numbers, not ${cell}`, { column: field.name });
  }
  if (cell === null || cell === undefined) {
    if (field.optional) return Number.NaN;
    throw missingValue(field, place);
  }
  throw wrongType(field, cell, place);
}

/** One string; undefined stands for a missing value. */
export function stringCell(field: InputField, cell: unknown, place: string): string | undefined {
  if (typeof cell === "string") return cell;
  // A file's true and false are read as the categories "true" and "false": the same record is understood here.
  if (typeof cell === "boolean" && field.categories?.includes(String(cell)) === true) return String(cell);
  if (cell === null || cell === undefined) {
    if (field.optional) return undefined;
    throw missingValue(field, place);
  }
  throw wrongType(field, cell, place);
}

/** Strings, each stored once. */
export function stringColumn(texts: readonly (string | undefined)[]): Column {
  const places = new Map<string, number>();
  const codes = new Int32Array(texts.length);
  for (const [row, text] of texts.entries()) {
    if (text === undefined) {
      codes[row] = -1;
      continue;
    }
    const code = places.get(text) ?? places.size;
    places.set(text, code);
    codes[row] = code;
  }
  return { kind: "string", codes, dictionary: [...places.keys()] };
}

/** The shapes that a row of a tensor field may come in: as it is, without its dimensions of 1, or flat. */
export function acceptedShapes(field: InputField): readonly (readonly number[])[] {
  const squeezed = field.shape.filter((size) => size !== 1);
  const flat = [elementCount(field.shape)];
  return [field.shape, squeezed, flat].filter((shape, i, all) => all.findIndex(({ length }) => length === shape.length) === i);
}

/** One element of a tensor field. */
export function tensorElement(field: InputField, cell: unknown, place: string): number {
  if (typeof cell !== "number") throw wrongType(field, cell, place);
  const value = Math.fround(cell);
  if (!Number.isFinite(value))
    throw new EspalierError("COLUMN_TYPE", `${place}: column "${field.name}" takes finite 32-bit numbers, not ${cell}`, { column: field.name });
  return value;
}

function tensorColumn(field: InputField, cells: readonly unknown[], placeOf: PlaceOf): Column {
  const width = elementCount(field.shape);
  const values = new Float32Array(cells.length * width);
  for (const [row, cell] of cells.entries()) {
    const place = placeOf(row);
    if (cell === null || cell === undefined) throw missingValue(field, place);
    const shape = acceptedShapes(field).find(({ length }) => length === depthOf(cell));
    if (shape === undefined) throw wrongShape(field, cell, place);
    fill(field, cell, { shape, values, offset: row * width, place });
  }
  return { kind: "tensor", shape: field.shape, values };
}

/** Copies nested lists of exactly `shape` into `values`. @returns the offset after the last element */
function fill(field: InputField, cell: unknown, at: { shape: readonly number[]; values: Float32Array; offset: number; place: string }): number {
  const { shape, values, offset, place } = at;
  const [size, ...inner] = shape;
  if (size === undefined) {
    values[offset] = tensorElement(field, cell, place);
    return offset + 1;
  }
  if (!Array.isArray(cell) || cell.length !== size) {
    const found = Array.isArray(cell) ? `${cell.length} items` : show(cell);
    throw new EspalierError(
      "REQUEST_INVALID",
      `${place} must be a list of ${size} (column "${field.name}" has shape ${formatShape(field.shape)}), not ${found}`,
      {
        column: field.name,
      },
    );
  }
  return cell.reduce<number>((next, item: unknown, i) => fill(field, item, { shape: inner, values, offset: next, place: `${place}[${i}]` }), offset);
}

/** How many lists stand inside each other at the value's beginning. */
function depthOf(cell: unknown): number {
  let depth = 0;
  for (let inner = cell; Array.isArray(inner) && depth <= 8; inner = inner[0]) depth += 1;
  return depth;
}

/** A list of one value is that value: clients that send [rows, 1] mean [rows]. */
function unwrap(cell: unknown): unknown {
  return Array.isArray(cell) && cell.length === 1 && !Array.isArray(cell[0]) ? (cell[0] as unknown) : cell;
}

function missingValues(field: InputField, length: number): Column {
  return field.kind === "string"
    ? { kind: "string", codes: new Int32Array(length).fill(-1), dictionary: [] }
    : { kind: "number", values: new Float64Array(length).fill(Number.NaN) };
}

function missingValue(field: InputField, place: string): EspalierError {
  return new EspalierError("COLUMN_MISSING", `${place}: column "${field.name}" is missing, and no training row missed it; send ${wanted(field)}`, {
    column: field.name,
  });
}

function wrongType(field: InputField, cell: unknown, place: string): EspalierError {
  return new EspalierError("COLUMN_TYPE", `${place}: column "${field.name}" takes ${wanted(field)}, not ${show(cell)}`, { column: field.name });
}

function wrongShape(field: InputField, cell: unknown, place: string): EspalierError {
  const shapes = acceptedShapes(field).map(formatShape).join(" or ");
  const message = `${place}: column "${field.name}" takes a row of shape ${shapes}, not ${Array.isArray(cell) ? `lists ${depthOf(cell)} deep` : show(cell)}`;
  return new EspalierError("REQUEST_INVALID", message, { column: field.name });
}

function wanted(field: InputField): string {
  return field.kind === "tensor" ? "numbers" : `a ${field.kind}`;
}
