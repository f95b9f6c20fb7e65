import fc from "fast-check";
import { expect, it } from "vitest";
import type { Columns } from "../columns.ts";
import { splitColumns, splitIndices } from "./split.ts";

const table = (classes: readonly number[]): Columns => ({
  length: classes.length,
  columns: new Map([["y", { kind: "string", codes: Int32Array.from(classes), dictionary: ["a", "b", "c", "d"] }]]),
});

it("deals every row to one part, the same for the same seed, another for another", () => {
  const columns = table(Array.from({ length: 200 }, (_, i) => i % 3));
  const { train, validation, test } = splitIndices(columns, { seed: 4 });
  expect([...train, ...validation, ...test].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  expect([train.length, validation.length, test.length]).toEqual([140, 30, 30]);
  expect(splitIndices(columns, { seed: 4 })).toEqual({ train, validation, test });
  expect(splitIndices(columns, { seed: 5 }).test).not.toEqual(test);
});

it("gives each part every class in its share when stratified", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 60, maxLength: 300 }), fc.nat(1000), (classes, seed) => {
      const columns = table(classes);
      const parts = splitIndices(columns, { seed, stratifyBy: "y", fractions: { train: 0.6, validation: 0.2, test: 0.2 } });
      for (const label of new Set(classes)) {
        const count = classes.filter((item) => item === label).length;
        const of = (rows: Uint32Array): number => rows.reduce((sum, row) => sum + (classes[row] === label ? 1 : 0), 0);
        expect(Math.abs(of(parts.train) - 0.6 * count)).toBeLessThan(2.5);
        expect(Math.abs(of(parts.test) - 0.2 * count)).toBeLessThan(2.5);
        expect(of(parts.train)).toBeGreaterThan(0);
      }
    }),
  );
});

it("splits without validation rows when asked to", () => {
  const { train, validation } = splitColumns(table([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]), { seed: 1, fractions: { train: 0.8, validation: 0, test: 0.2 } });
  expect([train.length, validation.length]).toEqual([8, 0]);
});

it("refuses fractions that are no shares, and tables too small for them", () => {
  expect(() => splitIndices(table([0, 1]), { seed: 1, fractions: { train: 0.8, validation: 0.1, test: 0.2 } })).toThrow(/add up to 1/);
  expect(() => splitIndices(table([0, 1]), { seed: 1 })).toThrow(expect.objectContaining({ code: "DATA_EMPTY" }));
});
