import { describe, expect, test } from "vitest";
import { operators } from "../../core/index.ts";
import { erf } from "./kernels/erf.ts";
import { kernels } from "./kernels/index.ts";

describe("the reference backend's kernels", () => {
  test("are there for every operator that a graph may hold, and for nothing else", () => {
    expect(Object.keys(kernels).toSorted()).toEqual(operators.map((operator) => operator.name).toSorted());
  });

  test("erf agrees with published values to 1e-15", () => {
    // Abramowitz & Stegun, table 7.1, and DLMF 7.23; more digits from arbitrary-precision tables.
    const table: readonly (readonly [number, number])[] = [
      [0, 0],
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [2.9, 0.9999589021219005],
      [3.1, 0.9999883513426328],
      [4, 0.9999999845827421],
      [7, 1],
    ];
    for (const [x, expected] of table) {
      expect(Math.abs(erf(x) - expected)).toBeLessThan(1e-15);
      expect(erf(-x)).toBe(-erf(x));
    }
    expect(erf(Number.NaN)).toBeNaN();
  });
});
