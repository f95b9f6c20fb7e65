import { readFile } from "node:fs/promises";
import {
  EspalierError,
  memorySource,
  openTable,
  packColumns,
  readTable,
  sha256Hex,
  type Columns,
  type FeatureSpec,
  type ImageAugmentation,
} from "../core/index.ts";

/** The UCI digits: 1,797 drawings of 8x8 pixels from 0 to 16, and the digit of each. */
export interface Digits {
  /** Columns `image` [1, 8, 8] and `digit`. */
  readonly table: Columns;
  /** SHA-256 of the file. */
  readonly fingerprint: string;
}

/** How a drawing becomes the network's input: pixels from 0 to 1. */
export const digitFeatures: readonly FeatureSpec[] = [{ kind: "image", column: "image", shape: [1, 8, 8], scale: 1 / 16 }];

/** How the training drawings are varied: of 36 plain 7s drawn on the page, 24 to 27 were read right without it, 34 to 36 with it (three seeds; test/e2e/demo.test.ts). */
export const digitAugmentation: ImageAugmentation = { rotation: 10, zoom: 0.12, shear: 0.3 };

/** Reads `digits.csv.gz`, which has no header: 64 pixels a row, then the digit. */
export async function loadDigits(file: URL = new URL("data/digits.csv.gz", import.meta.url)): Promise<Digits> {
  const bytes = await readFile(file);
  const rows = await readTable(await openTable(memorySource("digits.csv.gz", bytes), { header: false }));
  const names = [...rows.columns.keys()]; // column_1 to column_65
  const { columns } = packColumns(rows, { from: names.slice(0, 64), into: "image", shape: [1, 8, 8] });
  const [image, digit] = [columns.get("image"), columns.get(names[64] ?? "")];
  if (image === undefined || digit === undefined) throw new EspalierError("DATA_MALFORMED", "digits.csv.gz has not 64 pixels and a digit a row");
  const table = { length: rows.length, columns: new Map([["image", image] as const, ["digit", digit] as const]) };
  return { table, fingerprint: sha256Hex(bytes) };
}
