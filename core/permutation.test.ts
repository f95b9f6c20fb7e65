import { describe, expect, test } from "vitest";
import { permutation } from "./permutation.ts";

const order = (length: number, seed: number, epoch?: number): number[] => {
  const at = permutation(epoch === undefined ? { length, seed } : { length, seed, epoch });
  return Array.from({ length }, (_, position) => at(position));
};

describe("permutation", () => {
  test.each([0, 1, 2, 3, 4, 5, 15, 16, 17, 100, 1797, 4096, 5000])("of %i indices names every index once", (length) => {
    expect(order(length, 11).toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  });

  test("is the same for the same seed and epoch, and another for others", () => {
    expect(order(100, 5, 2)).toEqual(order(100, 5, 2));
    expect(order(100, 5, 2)).not.toEqual(order(100, 5, 3));
    expect(order(100, 5, 2)).not.toEqual(order(100, 6, 2));
  });

  test("leaves no relation between a position and its index", () => {
    const length = 5000;
    const indices = order(length, 1);
    const mean = (length - 1) / 2;
    const correlation = indices.reduce((sum, index, i) => sum + (index - mean) * (i - mean), 0) / (length * ((length * length - 1) / 12));
    // Standard error of a rank correlation: 1 / sqrt(n - 1) = 0.014
    expect(Math.abs(correlation)).toBeLessThan(0.057);
  });

  test("gives every order of three items about as often over the seeds", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed += 1) {
      const key = order(3, seed).join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Standard deviation sqrt(6000 * 1/6 * 5/6) = 29
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * 29);
  });

  test("reaches any position of a very long order at once", () => {
    const at = permutation({ length: 2 ** 52, seed: 3 });
    const indices = [0, 1, 2 ** 40, 2 ** 52 - 1].map(at);
    expect(new Set(indices).size).toBe(4);
    expect(indices.every((index) => Number.isSafeInteger(index) && index >= 0 && index < 2 ** 52)).toBe(true);
  });

  test("refuses a position outside the range", () => {
    expect(() => permutation({ length: 3, seed: 0 })(3)).toThrow("position 3 is outside 0 to 2");
    expect(() => permutation({ length: -1, seed: 0 })).toThrow("the length must be");
  });
});
