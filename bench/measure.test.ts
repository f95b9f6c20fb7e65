import { expect, test } from "vitest";
import { contest, quantile } from "./measure.ts";

test("quantiles are interpolated between the sorted values", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10, 20, 30], 0.25)).toBe(15);
  expect(quantile([7], 0.75)).toBe(7);
});

test("a contest runs both as often as it says, and its ratio says how many times slower the peer was", async () => {
  const calls = { ours: 0, peer: 0 };
  const work = (who: keyof typeof calls, turns: number) => (): Promise<void> => {
    calls[who] += 1;
    let sum = 0;
    for (let i = 0; i < turns; i += 1) sum += Math.sqrt(i);
    return sum > 0 ? Promise.resolve() : Promise.reject(new Error("nothing was computed"));
  };
  const result = await contest({ ours: work("ours", 1000), peer: work("peer", 1_000_000) }, { rounds: 4, ourRepeats: 3, peerRepeats: 2, warmUp: 1 });
  expect(calls).toEqual({ ours: 13, peer: 9 });
  expect(result.ratio).toBeGreaterThan(1); // a thousand times the work
  expect(result.quartiles[0]).toBeLessThanOrEqual(result.ratio);
  expect(result.quartiles[1]).toBeGreaterThanOrEqual(result.ratio);
});
