import { expect, it } from "vitest";
import { rowSource } from "../data/row-source.ts";
import { divideRows } from "./divide-rows.ts";

const count = 100;
const source = rowSource({
  length: count,
  columns: new Map([["label", { kind: "string", codes: Int32Array.from({ length: count }, (_, i) => i % 4), dictionary: ["a", "b", "c", "d"] }]]),
});
const all = Uint32Array.from({ length: count }, (_, i) => i);
const range = (start: number, end: number): Uint32Array => all.slice(start, end);

it("divides at random where the data does not, over the rows that can be used only", () => {
  const rows = range(20, 100);
  const { train, validation, test } = divideRows(source, { seed: 1, rows });
  expect([train.length, validation.length, test.length]).toEqual([56, 12, 12]);
  expect([...train, ...validation, ...test].toSorted((a, b) => a - b)).toEqual([...rows]);
});

it("keeps the data's own test part and takes the validation rows out of the training rows, each class in its share", () => {
  const own = { ...source, parts: { train: range(0, 80), test: range(80, 100) } };
  const { train, validation, test } = divideRows(own, { seed: 1, rows: all, stratifyBy: "label" });
  expect(test).toEqual(range(80, 100));
  expect(validation.length).toBe(12);
  expect([...train, ...validation].toSorted((a, b) => a - b)).toEqual([...range(0, 80)]);
  for (const label of [0, 1, 2, 3]) expect(validation.filter((row) => row % 4 === label).length).toBe(3);
});

it("keeps all parts that the data has, without the rows that cannot be used", () => {
  const own = { ...source, parts: { train: range(0, 60), validation: range(60, 80), test: range(80, 100) } };
  const usable = all.filter((row) => row !== 3 && row !== 99);
  const { train, validation, test } = divideRows(own, { seed: 1, rows: usable });
  expect([train.length, validation.length, test.length]).toEqual([59, 20, 19]);
  expect(() => divideRows(own, { seed: 1, rows: range(0, 80) })).toThrow(/own part "test" has no rows with a target/);
});
