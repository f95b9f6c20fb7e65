import { expect, test } from "vitest";
import { dataset, datasetIterator, readCount } from "../data/iterator.ts";
import type { Dataset } from "../data/dataset.ts";
import { prefetch } from "./prefetch.ts";

/** Numbers from 0, with a log of what is read and closed. */
function counting(length: number, log: string[], failAt = Infinity): Dataset<number> {
  return dataset(length, (state) => {
    let at = state === undefined ? 0 : readCount(state, "at");
    return datasetIterator({
      next() {
        if (at >= failAt) throw new Error("the source broke");
        if (at >= length) return undefined;
        log.push(`read ${at}`);
        return at++;
      },
      state: () => ({ at }),
      close: () => void log.push("closed"),
    });
  });
}

test("one item is read ahead, and each comes with the place of the one after it", async () => {
  const log: string[] = [];
  const seen: string[] = [];
  for await (const { item, position } of prefetch(counting(3, log).iterate())) {
    await Promise.resolve();
    seen.push(`${item} then ${JSON.stringify(position)} after ${log.at(-1)}`);
  }
  expect(seen).toEqual(['0 then {"at":1} after read 1', '1 then {"at":2} after read 2', '2 then {"at":3} after closed']);
});

test("a reader that stops early closes the source", async () => {
  const log: string[] = [];
  for await (const { item } of prefetch(counting(100, log).iterate())) if (item === 1) break;
  expect(log).toEqual(["read 0", "read 1", "read 2", "closed"]);
});

test("a failure comes after the items before it, and is nobody's when the reader has left", async () => {
  const items: number[] = [];
  const reading = (async () => {
    for await (const { item } of prefetch(counting(5, [], 2).iterate())) items.push(item);
  })();
  await expect(reading).rejects.toThrow("the source broke");
  expect(items).toEqual([0, 1]);
  const log: string[] = [];
  for await (const { item } of prefetch(counting(5, log, 1).iterate())) if (item === 0) break;
  expect(log).toEqual(["read 0", "closed"]);
});
