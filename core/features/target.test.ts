import { describe, expect, it } from "vitest";
import type { Column, Columns } from "../columns.ts";
import { decodeQuantities, encodeTarget, fitTarget, rowsWithTarget, targetValues } from "./target.ts";

const table = (column: Column, length: number): Columns => ({ length, columns: new Map([["y", column]]) });
const numbers = (values: readonly number[]): Columns => table({ kind: "number", values: Float64Array.from(values) }, values.length);
const texts = (values: readonly string[]): Columns => {
  const dictionary = [...new Set(values)];
  return table({ kind: "string", codes: Int32Array.from(values, (value) => dictionary.indexOf(value)), dictionary }, values.length);
};
const repeat = (count: number, of: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => of(i));

describe("fitTarget", () => {
  it("takes text for classes, in the order of code units", () => {
    expect(fitTarget(texts(["b", "a", "C"]), "y")).toEqual({ task: "classification", column: "y", classes: ["C", "a", "b"], numeric: false });
  });

  it("takes few whole numbers for classes, in numeric order", () => {
    expect(fitTarget(numbers(repeat(100, (i) => 8 + (i % 4))), "y")).toMatchObject({
      task: "classification",
      classes: ["8", "9", "10", "11"],
      numeric: true,
    });
    expect(fitTarget(numbers([0, 1, 1]), "y")).toMatchObject({ task: "classification", classes: ["0", "1"] });
  });

  it.each([
    ["fractions", repeat(100, (i) => (i % 2) / 2)],
    ["many whole numbers", repeat(500, (i) => i % 21)],
    ["whole numbers that hardly repeat", repeat(30, (i) => i % 12)],
  ])("takes %s for a quantity", (_, values) => {
    expect(fitTarget(numbers(values), "y").task).toBe("regression");
  });

  it("does as it is told", () => {
    expect(fitTarget(numbers([1, 2, 3, 4]), "y", { task: "classification" }).task).toBe("classification");
    expect(fitTarget(numbers([0, 1, 1]), "y", { task: "regression" })).toMatchObject({ task: "regression", mean: 2 / 3 });
    expect(() => fitTarget(texts(["a", "b"]), "y", { task: "regression" })).toThrow(/a regression needs numbers/);
  });

  it.each([
    ["constant", numbers([2, 2, NaN]), /the same value "2" in all 2 rows/],
    ["all missing", numbers([NaN, NaN]), /has no value in any of 2 rows/],
    ["an identifier", texts(Array.from({ length: 30 }, (_, i) => `id-${i}`)), /30 different values in 30 rows/],
  ])("refuses a target that is %s", (_, columns, message) => {
    expect(() => fitTarget(columns, "y")).toThrow(expect.objectContaining({ code: "TARGET_INVALID", message: expect.stringMatching(message) }));
  });

  it("names the nearest columns when there is none of that name", () => {
    expect(() => fitTarget(numbers([1, 2]), "Y ")).toThrow(
      expect.objectContaining({ code: "COLUMN_MISSING", message: expect.stringContaining('"y"') }),
    );
  });
});

describe("encodeTarget", () => {
  it("gives class numbers, whether the classes come as text or as numbers", () => {
    const target = fitTarget(numbers([1, 0, 1]), "y");
    expect(encodeTarget(target, texts(["1", "0"]))).toEqual({ dtype: "int32", shape: [2], data: Int32Array.from([1, 0]) });
  });

  it("gives standardised quantities, which decode to the values", () => {
    const columns = numbers([1.5, 2.5, 6]);
    const target = fitTarget(columns, "y");
    const labels = encodeTarget(target, columns);
    expect(labels.shape).toEqual([3, 1]);
    if (target.task !== "regression") throw new Error("expected a regression");
    const back = decodeQuantities(target, labels.data as Float32Array);
    for (const [row, value] of targetValues(target, columns).entries()) expect(Math.abs(back[row]! - value)).toBeLessThan(1e-6);
  });

  it("refuses an unknown class and a missing value, with the row", () => {
    const target = fitTarget(texts(["a", "b"]), "y");
    expect(() => encodeTarget(target, texts(["a", "z"]))).toThrow(/row 2: class "z" is not one of the model's: a, b/);
    expect(() => encodeTarget(fitTarget(numbers([0, 1]), "y"), numbers([0, NaN]))).toThrow(/row 2: the target is missing/);
  });

  it("knows which rows have a target", () => {
    expect(Array.from(rowsWithTarget(numbers([1, NaN, 3]), "y"))).toEqual([0, 2]);
  });
});

it("a quantity that float32 does not hold is refused with its row, and one whose deviation is infinite with its range", () => {
  const table = (values: readonly number[]): Columns => ({
    length: values.length,
    columns: new Map<string, Column>([["y", { kind: "number", values: Float64Array.from(values) }]]),
  });
  const target = fitTarget(table([0.5, 1, 2.5]), "y");
  expect(() => encodeTarget(target, table([1, 1e300]))).toThrow(/column "y", row 2: 1e\+300 is too far from the training rows' mean/);
  expect(() => fitTarget(table([0.5, 1, 1e300]), "y")).toThrow(/"y" holds numbers from 0.5 to 1e\+300, too far apart/);
});
