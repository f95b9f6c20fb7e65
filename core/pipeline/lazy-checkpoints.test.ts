import { expect, it } from "vitest";
import { type Checkpoint, memoryCheckpoints } from "../training/index.ts";
import { lazyCheckpoints } from "./lazy-checkpoints.ts";

const at = (step: number): Checkpoint => ({
  graphHash: "",
  seed: 0,
  step,
  updates: step,
  pending: { batches: 0, weight: 0 },
  epoch: 1,
  position: undefined,
  progress: { loss: 0, terms: {}, weight: 0, rows: 0, batches: 0, learningRate: 0 },
  history: [],
  state: {},
  best: undefined,
  callbacks: {},
});

it("writes the first at once, the next ones when time has passed, and the newest and the best when flushed", async () => {
  let now = 0;
  const store = memoryCheckpoints();
  const lazy = lazyCheckpoints(store, { clock: () => now, everyMs: 100 });
  const steps = async (): Promise<unknown[]> => [(await store.load("last"))?.step, (await store.load("best"))?.step];
  await lazy.save(at(1), { best: true });
  expect(await steps()).toEqual([1, 1]);
  await lazy.save(at(2), { best: true });
  await lazy.save(at(3), { best: false });
  expect(await steps()).toEqual([1, 1]);
  now = 100;
  await lazy.save(at(4), { best: false });
  expect(await steps()).toEqual([4, 2]);
  await lazy.save(at(5), { best: false });
  await lazy.flush();
  await lazy.flush();
  expect(await steps()).toEqual([5, 2]);
});

it("loads what it holds back", async () => {
  const lazy = lazyCheckpoints(memoryCheckpoints(), { clock: () => 0 });
  await lazy.save(at(1), { best: false });
  await lazy.save(at(2), { best: false });
  expect((await lazy.load("last"))?.step).toBe(2);
});
