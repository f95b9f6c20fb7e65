import { expect, test } from "vitest";
import type { ColumnProfile, TableProfile } from "../data/profile.ts";
import type { FittedFeatures } from "./features.ts";
import { fittedColumns } from "./fitted-columns.ts";

const features: FittedFeatures = {
  features: [
    { kind: "number", column: "age", mean: 40, standardDeviation: 10, missing: false },
    { kind: "category", column: "town", vocabulary: ["a", "b"] },
    { kind: "image", column: "photo", shape: [3, 8, 8], scale: 1 / 255 },
  ],
};
const number: ColumnProfile = {
  kind: "number",
  count: 9,
  missing: 0,
  distinct: 9,
  distinctExact: true,
  min: 0,
  max: 9,
  mean: 4,
  standardDeviation: 2,
  whole: true,
  increasing: false,
};
const string: ColumnProfile = { kind: "string", count: 9, missing: 0, distinct: 2, distinctExact: true, top: [], times: false, meanWords: 1 };
const photo: ColumnProfile = { kind: "tensor", count: 9, missing: 0, shape: [3, 8, 8], dtype: "uint8" };
const good: TableProfile["columns"] = { age: number, town: string, photo, size: number, y: number };

const look = (columns: TableProfile["columns"], { target = "y", ignore = [] as readonly string[] } = {}): ReturnType<typeof fittedColumns> =>
  fittedColumns({ rows: 9, columns }, { features, name: "the bundle", target, ignore });

test("a table with every column fits, and the others are named", () => {
  expect(look(good)).toEqual({ specs: [], leftOut: [{ column: "size", reason: "the bundle does not read it" }] });
  expect(look(good, { ignore: ["size"] }).leftOut).toEqual([{ column: "size", reason: "ignored as asked" }]);
  expect(look({ ...good, town: number }).leftOut).toHaveLength(1); // text that is all digits
  expect(look({ ...good, age: { ...string, count: 0 } }).leftOut).toHaveLength(1); // nothing but missing values
});

test.each<[string, TableProfile["columns"], { target?: string; ignore?: readonly string[] }, string]>([
  [
    "a missing column",
    { Age: number, town: string, photo, y: number },
    {},
    'the bundle reads the column "age", which the data does not have; did you mean "Age"?',
  ],
  ["text for a number", { ...good, age: string }, {}, 'the bundle reads "age" as numbers, and the data has strings; bring the data to that'],
  ["smaller images", { ...good, photo: { ...photo, shape: [1, 8, 8] } }, {}, '"photo" as images of shape [3, 8, 8], and the data has [1, 8, 8]'],
  ["numbers for images", { ...good, photo: number }, {}, '"photo" as images of shape [3, 8, 8], and the data has numbers'],
  ["images for text", { ...good, town: photo }, {}, '"town" as text, and the data has tensors'],
  ["a target that is read", good, { target: "age" }, 'reads the column "age", which is to be predicted; predict another one'],
  ["a column to ignore", good, { ignore: ["town"] }, 'reads the column "town", which is to be ignored; leave it in'],
])("%s is refused", (_what, columns, options, message) => {
  expect(() => look(columns, options)).toThrow(message);
});
