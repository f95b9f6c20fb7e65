import type { Column, Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";

/** Which columns become which tensor. */
export interface PackOptions {
  /** The number columns, in row-major order of the tensor. */
  readonly from: readonly string[];
  /** The new column's name. */
  readonly into: string;
  /** The shape of one row's tensor: [1, 8, 8] for 64 pixels. */
  readonly shape: readonly number[];
}

/**
 * Many number columns as one tensor column, which takes the place of the first of them: the pixels of an image.
 *
 * @returns the table without the packed columns; numbers are rounded to float32
 * @throws COLUMN_MISSING; COLUMN_TYPE for a column of text or a missing value, naming the row; ARGUMENT_INVALID when the shape takes another number of columns
 * @example packColumns(digits, { from: pixelNames, into: "image", shape: [1, 8, 8] })
 */
export function packColumns(columns: Columns, { from, into, shape }: PackOptions): Columns {
  const size = shape.reduce((product, n) => product * n, 1);
  if (size !== from.length) {
    throw new EspalierError("ARGUMENT_INVALID", `shape [${shape.join(", ")}] takes ${size} columns, not ${from.length}`, {
      shape,
      columns: from.length,
    });
  }
  const values = new Float32Array(columns.length * size);
  for (const [place, name] of from.entries()) {
    const column = columns.columns.get(name);
    if (column === undefined)
      throw new EspalierError("COLUMN_MISSING", `no column "${name}"${suggestNames(name, columns.columns.keys())}`, { column: name });
    if (column.kind !== "number")
      throw new EspalierError("COLUMN_TYPE", `column "${name}" holds ${column.kind}s; only numbers can be packed`, { column: name });
    for (let row = 0; row < columns.length; row++) {
      const value = column.values[row]!; // row is below the length
      if (Number.isNaN(value)) {
        throw new EspalierError("COLUMN_TYPE", `column "${name}", row ${row + 1}: the value is missing; an image needs all of its pixels`, {
          column: name,
          row: row + 1,
        });
      }
      values[row * size + place] = value;
    }
  }
  const packed = new Set(from);
  const result = new Map<string, Column>();
  for (const [name, column] of columns.columns) {
    if (name === from[0]) result.set(into, { kind: "tensor", shape, values });
    if (!packed.has(name)) result.set(name, column);
  }
  return { length: columns.length, columns: result };
}
