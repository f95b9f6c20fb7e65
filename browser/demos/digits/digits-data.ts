import { memorySource, openTable, packColumns, readTable, sha256Hex, type Columns, type FeatureSpec } from "../../../core/index.ts";
import url from "../../../examples/data/digits.csv.gz?url";

/** The UCI digits as a table of images. */
export interface DigitsData {
  /** Columns `image` [1, 8, 8] of 0 to 16, and `digit`. */
  readonly table: Columns;
  /** SHA-256 of the file. */
  readonly fingerprint: string;
}

/** The size of an image's side. */
export const side = 8;

/** The value of a full pixel. */
export const full = 16;

/** How an image becomes the network's input: 0 to 1. */
export const digitFeatures: readonly FeatureSpec[] = [{ kind: "image", column: "image", shape: [1, side, side], scale: 1 / full }];

/** Reads the data that the page brings along. @throws FILE_UNREADABLE when it does not load; DATA_MALFORMED */
export async function loadDigits(): Promise<DigitsData> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the digits did not load: ${response.status} ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const rows = await readTable(await openTable(memorySource("digits.csv.gz", bytes), { header: false }));
  const names = [...rows.columns.keys()];
  const digit = rows.columns.get(names.at(-1) ?? "");
  const pixels = packColumns(rows, { from: names.slice(0, -1), into: "image", shape: [1, side, side] });
  const image = pixels.columns.get("image");
  if (digit === undefined || image === undefined) throw new Error("digits.csv.gz has not 64 pixels and a digit a row");
  return {
    table: {
      length: rows.length,
      columns: new Map([
        ["image", image],
        ["digit", digit],
      ]),
    },
    fingerprint: sha256Hex(bytes),
  };
}

/** One image of the table. */
export function imageAt({ columns }: Columns, row: number): Float32Array {
  const image = columns.get("image");
  return image?.kind === "tensor"
    ? Float32Array.from(image.values.subarray(row * side * side, (row + 1) * side * side))
    : new Float32Array(side * side);
}
