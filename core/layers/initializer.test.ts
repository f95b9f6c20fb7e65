import { expect, test } from "vitest";
import { Random } from "../random.ts";
import { initialize, type InitializerName } from "./initializer.ts";

const shape = [200, 300];

function statistics(name: InitializerName): { readonly mean: number; readonly variance: number; readonly largest: number } {
  const values = initialize(name, { shape, fanIn: 200, fanOut: 300, random: new Random(3) });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length, largest: Math.max(...values.map(Math.abs)) };
}

test.each([
  ["glorotUniform", 2 / 500, Math.sqrt(6 / 500)],
  ["glorotNormal", 2 / 500, (2 * Math.sqrt(2 / 500)) / 0.8796],
  ["heUniform", 2 / 200, Math.sqrt(6 / 200)],
  ["heNormal", 2 / 200, (2 * Math.sqrt(2 / 200)) / 0.8796],
  ["lecunUniform", 1 / 200, Math.sqrt(3 / 200)],
  ["lecunNormal", 1 / 200, (2 * Math.sqrt(1 / 200)) / 0.8796],
  ["randomUniform", 0.05 ** 2 / 3, 0.05],
] as const)("%s has mean 0, variance %d and nothing beyond its limit", (name, variance, limit) => {
  const found = statistics(name);
  // 60,000 draws: the mean's standard error is 0.4 % of the standard deviation, the variance's at most 0.6 % of the variance.
  expect(Math.abs(found.mean)).toBeLessThan(0.02 * Math.sqrt(variance));
  expect(found.variance / variance).toBeGreaterThan(0.97);
  expect(found.variance / variance).toBeLessThan(1.03);
  expect(found.largest).toBeLessThanOrEqual(limit * 1.0001);
  expect(found.largest).toBeGreaterThan(0.95 * limit);
});

test("an unknown name and a function of the wrong length are refused", () => {
  const context = { shape: [2], fanIn: 1, fanOut: 1, random: new Random(1) };
  expect(() => initialize("glorot" as "ones", context)).toThrow('no initialiser "glorot"');
  expect(() => initialize(() => new Float32Array(3), context)).toThrow("an initialiser returned 3 values for shape [2], which takes 2");
});

test("orthogonal has rows (or columns, whichever are fewer) of length gain, at right angles", () => {
  for (const [rows, columns] of [
    [3, 7],
    [7, 3],
    [5, 5],
  ] as const) {
    const values = initialize({ kind: "orthogonal", gain: 2 }, { shape: [rows, columns], fanIn: 1, fanOut: 1, random: new Random(2) });
    const count = Math.min(rows, columns);
    const vector = (i: number): number[] =>
      Array.from({ length: Math.max(rows, columns) }, (_, j) => values[rows <= columns ? i * columns + j : j * columns + i]!);
    for (let i = 0; i < count; i += 1) {
      for (let j = 0; j < count; j += 1) {
        const product = vector(i).reduce((sum, value, k) => sum + value * vector(j)[k]!, 0);
        expect(product).toBeCloseTo(i === j ? 4 : 0, 5);
      }
    }
  }
});

test("identity, a constant, and initialisers with arguments", () => {
  const context = { shape: [2, 3], fanIn: 2, fanOut: 3, random: new Random(1) };
  expect([...initialize("identity", context)]).toEqual([1, 0, 0, 0, 1, 0]);
  expect([...initialize({ constant: 3 }, context)]).toEqual([3, 3, 3, 3, 3, 3]);
  const wide = initialize({ kind: "randomUniform", minval: 5, maxval: 6 }, { ...context, shape: [100] });
  expect(Math.min(...wide)).toBeGreaterThanOrEqual(5);
  expect(Math.max(...wide)).toBeLessThan(6);
  const near = initialize({ kind: "truncatedNormal", mean: 10, stddev: 2 }, { ...context, shape: [1000] });
  expect(Math.max(...near.map((value) => Math.abs(value - 10)))).toBeLessThanOrEqual(4);
  const scaled = initialize({ kind: "varianceScaling", scale: 3, mode: "fanOut", distribution: "uniform" }, { ...context, shape: [1000] });
  expect(Math.max(...scaled.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(3)); // the limit sqrt(3 scale / fanOut)
  expect(Math.max(...scaled.map(Math.abs))).toBeGreaterThan(0.95 * Math.sqrt(3));
});

test("a number out of range, a word that is none, and a vector that has no rows are refused", () => {
  const context = { shape: [2], fanIn: 1, fanOut: 1, random: new Random(1) };
  expect(() => initialize({ kind: "randomNormal", stddev: -1 }, context)).toThrow("stddev must be a number from 0, not -1");
  expect(() => initialize({ kind: "varianceScaling", mode: "fanin" as "fanIn" }, context)).toThrow('no mode "fanin"; did you mean "fanIn"');
  expect(() => initialize("orthogonal", context)).toThrow("orthogonal and identity are of parameters with two or more dimensions, not [2]");
});
