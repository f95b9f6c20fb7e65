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
