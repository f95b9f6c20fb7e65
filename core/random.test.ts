import { describe, expect, test } from "vitest";
import { deriveSeed, Random } from "./random.ts";

describe("Random", () => {
  test("draws the published sequence of xoshiro128** from the state 1, 2, 3, 4", () => {
    // The reference vector of the rand_xoshiro crate, made with the authors' C code.
    const random = new Random({ algorithm: "xoshiro128**", words: [1, 2, 3, 4] });
    const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
    expect(expected.map(() => random.uint32())).toEqual(expected);
  });

  test("draws the same numbers on every engine", () => {
    // Golden bits: the same file is run in Node and in Chromium; a change here changes every recorded run.
    const random = new Random(7);
    const words = new Uint32Array(random.normals(4).buffer);
    expect(Array.from(words, (word) => word.toString(16))).toMatchInlineSnapshot(`
      [
        "3f7387e4",
        "bdf853da",
        "3f2d0ce1",
        "3f25d17c",
      ]
    `);
    expect(random.uniform()).toMatchInlineSnapshot(`0.17231422755035009`);
    expect(random.integer(1000)).toMatchInlineSnapshot(`830`);
    expect(deriveSeed(7, "dropout", 3)).toMatchInlineSnapshot(`4954008941355907`);
  });

  test("goes on from a saved state at the very next number", () => {
    const random = new Random(123456789012345);
    random.normals(11);
    const copy = new Random(JSON.parse(JSON.stringify(random.state)));
    expect(Array.from(copy.normals(50))).toEqual(Array.from(random.normals(50)));
    expect(copy.state).toEqual(random.state);
  });

  test("normal numbers have the moments and the tails of the normal distribution", () => {
    const count = 200_000;
    const draws = new Random(1).normals(count);
    const moment = (power: number): number => draws.reduce((sum, x) => sum + x ** power, 0) / count;
    // Standard errors: sqrt((E x^2k - (E x^k)^2) / n) = 0.0022, 0.0032, 0.0087, 0.022; bounds are 4 of them.
    expect(Math.abs(moment(1))).toBeLessThan(0.009);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.013);
    expect(Math.abs(moment(3))).toBeLessThan(0.035);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.088);
    // P(|x| > 2) = 0.0455, standard error 0.00047
    expect(Math.abs(draws.filter((x) => Math.abs(x) > 2).length / count - 0.0455)).toBeLessThan(0.0019);
  });

  test("uniform and whole numbers fill their ranges evenly", () => {
    const random = new Random(3);
    const draws = Array.from({ length: 60_000 }, () => random.integer(6));
    for (let face = 0; face < 6; face += 1) {
      // Standard deviation of a count: sqrt(60000 * 1/6 * 5/6) = 91
      expect(Math.abs(draws.filter((x) => x === face).length - 10_000)).toBeLessThan(4 * 91);
    }
    const uniforms = random.uniforms(10_000, { low: -2, high: 3 });
    expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...uniforms)).toBeLessThanOrEqual(3);
    // Mean 0.5, standard error 5 / sqrt(12 * 10000) = 0.0144
    expect(Math.abs(uniforms.reduce((sum, x) => sum + x, 0) / 10_000 - 0.5)).toBeLessThan(0.058);
  });

  test("derived seeds differ by every part of their purpose, and small seeds are unrelated", () => {
    const seeds = [
      ...Array.from({ length: 500 }, (_, seed) => deriveSeed(seed)),
      ...Array.from({ length: 500 }, (_, epoch) => deriveSeed(0, "dropout", epoch)),
      deriveSeed(0, "dropout"),
      deriveSeed(0, "dropout", "1"),
      deriveSeed(0, "ab", "c"),
      deriveSeed(0, "a", "bc"),
      deriveSeed(2 ** 40, "dropout"),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
    const first = Array.from({ length: 2000 }, (_, seed) => new Random(seed).uniform());
    // Mean of 2000 first draws: standard error 0.0065
    expect(Math.abs(first.reduce((sum, x) => sum + x, 0) / 2000 - 0.5)).toBeLessThan(0.026);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 53])("refuses the seed %s", (seed) => {
    expect(() => new Random(seed)).toThrow(expect.objectContaining({ code: "ARGUMENT_INVALID" }));
  });

  test("refuses a state that is not one, and a bound out of range", () => {
    expect(() => new Random({ algorithm: "xoshiro128**", words: [0, 0, 0, 0] })).toThrow("not a random state");
    expect(() => new Random(1).integer(0)).toThrow("integer: the bound must be");
  });
});
