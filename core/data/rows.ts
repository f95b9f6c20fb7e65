import type { Column, Columns, TensorValues } from "../columns.ts";
import { EspalierError } from "../errors.ts";

/** One value of a table: undefined where it is missing. */
export type CellValue = number | string | TensorValues | undefined;

/** The value of one row. @returns undefined where it is missing */
export function valueAt(column: Column, row: number): CellValue {
  switch (column.kind) {
    case "number": {
      const value = column.values[row];
      return value === undefined || Number.isNaN(value) ? undefined : value;
    }
    case "string":
      return column.dictionary[column.codes[row] ?? -1];
    case "tensor": {
      const size = column.shape.reduce((product, n) => product * n, 1);
      return column.values.subarray(row * size, (row + 1) * size);
    }
    default:
      return column satisfies never;
  }
}

/** One row as an object, as a prediction request would send it; missing values are null, tensors flat arrays. */
export function rowObject(columns: Columns, row: number): Record<string, unknown> {
  const entries = Array.from(columns.columns, ([name, column]): [string, unknown] => {
    const value = valueAt(column, row);
    return [name, ArrayBuffer.isView(value) ? Array.from(value) : (value ?? null)];
  });
  return Object.fromEntries(entries);
}

/** The rows from `start` to before `end`; numbers and tensors share memory with the whole. */
export function sliceRows(columns: Columns, start: number, end: number): Columns {
  return mapColumns(columns, Math.max(0, end - start), (column) => {
    switch (column.kind) {
      case "number":
        return { kind: "number", values: column.values.subarray(start, end) };
      case "string":
        return { kind: "string", codes: column.codes.subarray(start, end), dictionary: column.dictionary };
      case "tensor": {
        const size = column.shape.reduce((product, n) => product * n, 1);
        return { kind: "tensor", shape: column.shape, values: column.values.subarray(start * size, end * size) };
      }
      default:
        return column satisfies never;
    }
  });
}

/** The rows with the given indices, in that order, copied; an index may occur twice. */
export function gatherRows(columns: Columns, indices: ArrayLike<number>): Columns {
  return mapColumns(columns, indices.length, (column) => {
    const count = indices.length;
    switch (column.kind) {
      case "number": {
        const values = new Float64Array(count);
        for (let i = 0; i < count; i++) values[i] = column.values[indices[i]!]!; // indices are rows of the table
        return { kind: "number", values };
      }
      case "string": {
        const codes = new Int32Array(count);
        for (let i = 0; i < count; i++) codes[i] = column.codes[indices[i]!]!; // indices are rows of the table
        return { kind: "string", codes, dictionary: column.dictionary };
      }
      case "tensor": {
        const size = column.shape.reduce((product, n) => product * n, 1);
        const values = sameMemory(column.values, count * size);
        for (let i = 0; i < count; i++) values.set(column.values.subarray(indices[i]! * size, (indices[i]! + 1) * size), i * size);
        return { kind: "tensor", shape: column.shape, values };
      }
      default:
        return column satisfies never;
    }
  });
}

/**
 * Several pieces of one table, one after the other.
 *
 * @throws ARGUMENT_INVALID when the pieces have different columns
 */
export function concatColumns(parts: readonly Columns[]): Columns {
  const [first] = parts;
  if (first === undefined) return { length: 0, columns: new Map() };
  if (parts.length === 1) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const pick = (name: string, kind: Column["kind"]): Column[] =>
    parts.map((part) => {
      const column = part.columns.get(name);
      if (column?.kind === kind && part.columns.size === first.columns.size) return column;
      throw new EspalierError("ARGUMENT_INVALID", `concatColumns: the pieces have different columns; look at "${name}"`, { column: name });
    });
  const columns = new Map<string, Column>();
  for (const [name, column] of first.columns) {
    const pieces = pick(name, column.kind);
    if (column.kind === "number") columns.set(name, concatNumbers(pieces, length));
    else if (column.kind === "string") columns.set(name, concatStrings(pieces, length));
    else columns.set(name, concatTensors(pieces, length, column.shape));
  }
  return { length, columns };
}

/** A table with some of its columns only, in the order of the names given; names that it lacks are left out. */
export function selectColumns(columns: Columns, names: Iterable<string>): Columns {
  const chosen = new Map<string, Column>();
  for (const name of names) {
    const column = columns.columns.get(name);
    if (column !== undefined) chosen.set(name, column);
  }
  return { length: columns.length, columns: chosen };
}

function sameMemory(values: TensorValues, length: number): TensorValues {
  return values instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
}

function mapColumns(columns: Columns, length: number, map: (column: Column) => Column): Columns {
  return { length, columns: new Map(Array.from(columns.columns, ([name, column]) => [name, map(column)])) };
}

function concatNumbers(pieces: readonly Column[], length: number): Column {
  const values = new Float64Array(length);
  let at = 0;
  for (const piece of pieces) {
    if (piece.kind !== "number") continue; // kinds were checked
    values.set(piece.values, at);
    at += piece.values.length;
  }
  return { kind: "number", values };
}

function concatStrings(pieces: readonly Column[], length: number): Column {
  const codes = new Int32Array(length);
  const places = new Map<string, number>();
  let at = 0;
  for (const piece of pieces) {
    if (piece.kind !== "string") continue; // kinds were checked
    // Only values that occur enter the dictionary, so that slices of a large table stay small.
    const moved = new Int32Array(piece.dictionary.length).fill(-1);
    for (const code of piece.codes) {
      if (code >= 0 && moved[code] === -1) {
        const value = piece.dictionary[code]!; // a code is an index into its dictionary
        const place = places.get(value) ?? places.size;
        places.set(value, place);
        moved[code] = place;
      }
      codes[at++] = code < 0 ? -1 : moved[code]!;
    }
  }
  return { kind: "string", codes, dictionary: [...places.keys()] };
}

function concatTensors(pieces: readonly Column[], length: number, shape: readonly number[]): Column {
  const size = length * shape.reduce((product, n) => product * n, 1);
  // Bytes only when all pieces are bytes.
  const bytes = pieces.every((piece) => piece.kind === "tensor" && piece.values instanceof Uint8Array);
  const values = bytes ? new Uint8Array(size) : new Float32Array(size);
  let at = 0;
  for (const piece of pieces) {
    if (piece.kind !== "tensor" || piece.shape.join() !== shape.join()) {
      throw new EspalierError("ARGUMENT_INVALID", "concatColumns: the pieces of a tensor column have different shapes", { shape });
    }
    values.set(piece.values, at);
    at += piece.values.length;
  }
  return { kind: "tensor", shape, values };
}
