import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Columns } from "../columns.ts";
import { tensor } from "../tensor.ts";
import { batch } from "./batch.ts";
import { filter, map, shard, skip, take } from "./combinators.ts";
import type { Dataset } from "./dataset.ts";
import { cache, interleave, prefetch } from "./flow.ts";
import { fromColumns } from "./from-columns.ts";
import { dataset } from "./iterator.ts";
import { rowObject } from "./rows.ts";
import { shuffle } from "./shuffle.ts";
import { tensorBatches } from "./tensor-batches.ts";

const numbered = (rows: number): Columns => ({
  length: rows,
  columns: new Map([
    ["n", { kind: "number", values: Float64Array.from({ length: rows }, (_, i) => i) }],
    ["s", { kind: "string", codes: Int32Array.from({ length: rows }, (_, i) => (i % 4) - 1), dictionary: ["a", "b", "c"] }],
    ["t", { kind: "tensor", shape: [2], values: Float32Array.from({ length: 2 * rows }, (_, i) => i) }],
  ]),
});

/** The same rows without access to them by number: a stream. */
const stream = (rows: number, chunkRows: number): Dataset<Columns> => {
  const inMemory = fromColumns(numbered(rows), { chunkRows });
  return dataset(rows, (state) => inMemory.iterate(state));
};

const rowsOf = (columns: Columns): unknown[] => Array.from({ length: columns.length }, (_, row) => JSON.stringify(rowObject(columns, row)));
const numbersOf = async (source: Dataset<Columns>): Promise<unknown[]> => {
  const found: unknown[] = [];
  for await (const columns of source) for (let row = 0; row < columns.length; row++) found.push(rowObject(columns, row)["n"]);
  return found;
};

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const pipelines: Readonly<Record<string, (source: Dataset<Columns>, rows: number) => Dataset<Columns>>> = {
  map: (source) => map(source, (columns) => ({ length: columns.length, columns: new Map([...columns.columns].toReversed()) })),
  filter: (source) => filter(source, (columns, row) => (columns.columns.get("n") as { values: Float64Array }).values[row]! % 3 !== 0),
  "shuffle of a stream": (source) => shuffle(source, { seed: 5, bufferRows: 7, chunkRows: 3 }),
  "shuffle in memory": (_, rows) => shuffle(fromColumns(numbered(rows)), { seed: 5, epoch: 2, chunkRows: 3 }),
  batch: (source) => batch(source, { rows: 4 }),
  "batch without a short last one": (source) => batch(source, { rows: 4, dropLast: true }),
  shard: (source) => shard(source, { index: 1, count: 3 }),
  take: (source) => take(source, 11),
  skip: (source) => skip(source, 5),
  prefetch: (source) => prefetch(source, { items: 3 }),
  cache: (source) => cache(source),
  interleave: (source, rows) => interleave([source, stream(rows, 2), stream(3, 5)]),
  "all of them": (source, rows) =>
    prefetch(
      batch(shuffle(cache(interleave([skip(take(source, 40), 2), shard(stream(rows, 3), { index: 0, count: 2 })])), { seed: 1, bufferRows: 9 }), {
        rows: 5,
      }),
    ),
};

describe("every data set", () => {
  it.each(Object.entries(pipelines))("goes on from its state with exactly what is left: %s", async (_, make) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.integer({ min: 1, max: 9 }), fc.nat(20), async (rows, chunkRows, count) => {
        const build = (): Dataset<Columns> => make(stream(rows, chunkRows), rows);
        const whole = (await collect(build())).map(rowsOf);
        const source = build();
        const iterator = source.iterate();
        let taken = 0;
        while (taken < count && (await iterator.next()).done !== true) taken += 1;
        const state = JSON.parse(JSON.stringify(iterator.state()));
        await iterator.return?.();
        expect((await collect(source.iterate(state))).map(rowsOf)).toEqual(whole.slice(taken));
        // In another process there is nothing but the state.
        expect((await collect(build().iterate(state))).map(rowsOf)).toEqual(whole.slice(taken));
      }),
      { numRuns: 60 },
    );
  });

  it.each(Object.entries(pipelines))("gives the same items in each pass: %s", async (_, make) => {
    const source = make(stream(30, 4), 30);
    const first = (await collect(source)).map(rowsOf);
    expect((await collect(source)).map(rowsOf)).toEqual(first);
  });

  it("refuses the state of another one", () => {
    expect(() => batch(stream(3, 1), { rows: 2 }).iterate({ window: 1 })).toThrow(expect.objectContaining({ code: "CHECKPOINT_INVALID" }));
  });
});

describe("combinators", () => {
  it("shuffle keeps every row once, in another order for another seed or epoch", async () => {
    for (const source of [fromColumns(numbered(50)), stream(50, 7)]) {
      const orders = await Promise.all([
        numbersOf(shuffle(source, { seed: 1 })),
        numbersOf(shuffle(source, { seed: 2 })),
        numbersOf(shuffle(source, { seed: 1, epoch: 1 })),
      ]);
      for (const order of orders) expect((order as number[]).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
      expect(new Set(orders.map(String)).size).toBe(3);
    }
  });

  it("batch gives full batches and one rest, or none", async () => {
    const sizes = async (source: Dataset<Columns>): Promise<number[]> => (await collect(source)).map(({ length }) => length);
    expect(await sizes(batch(stream(10, 3), { rows: 4 }))).toEqual([4, 4, 2]);
    expect(await sizes(batch(stream(10, 3), { rows: 4, dropLast: true }))).toEqual([4, 4]);
    expect(batch(stream(10, 3), { rows: 4, dropLast: true }).rows).toBe(8);
  });

  it("shards are disjoint and complete, and know their sizes", async () => {
    const shards = [0, 1, 2].map((index) => shard(stream(11, 4), { index, count: 3 }));
    const rows = await Promise.all(shards.map(numbersOf));
    expect(rows.map(({ length }) => length)).toEqual(shards.map((part) => part.rows));
    expect((rows.flat() as number[]).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, i) => i));
  });

  it("take reads no further than it must, and closes its source when the reader stops", async () => {
    let read = 0;
    let closed = 0;
    const source = dataset<Columns>(undefined, (state) => {
      const inner = stream(100, 10).iterate(state);
      return {
        ...inner,
        next: () => ((read += 1), inner.next()),
        return: async () => ((closed += 1), { done: true as const, value: undefined }),
        state: () => inner.state(),
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    });
    expect(await numbersOf(take(source, 15))).toHaveLength(15);
    expect([read, closed]).toEqual([2, 1]);
    for await (const _ of prefetch(map(source, (columns) => columns))) break;
    expect(closed).toBe(2);
  });

  it("cache reads its source once", async () => {
    let passes = 0;
    const source = cache(dataset<Columns>(6, (state) => ((passes += 1), stream(6, 2).iterate(state))));
    expect(await numbersOf(source)).toEqual(await numbersOf(source));
    expect(passes).toBe(1);
  });

  it("prefetch hands a failure on when its turn comes", async () => {
    const failing = map(stream(6, 2), (columns) => {
      if ((columns.columns.get("n") as { values: Float64Array }).values[0] === 4) throw new Error("broken");
      return columns;
    });
    const iterator = prefetch(failing, { items: 5 }).iterate();
    expect((await iterator.next()).done).toBe(false);
    expect((await iterator.next()).done).toBe(false);
    await expect(iterator.next()).rejects.toThrow("broken");
  });
});

describe("tensorBatches", () => {
  const tensors = { x: tensor("float32", [5, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), labels: tensor("int32", [5], [0, 1, 2, 3, 4]) };

  it("keeps rows together and every row once an epoch", async () => {
    const batches = await collect(tensorBatches(tensors, { batchSize: 2, shuffle: { seed: 3, epoch: 1 } }));
    expect(batches.map(({ x }) => x?.shape)).toEqual([
      [2, 2],
      [2, 2],
      [1, 2],
    ]); // two, two, one
    const labels = batches.flatMap((item) => Array.from(item["labels"]!.data as Int32Array));
    const first = batches.flatMap((item) => Array.from(item["x"]!.data as Float32Array).filter((_, i) => i % 2 === 0));
    expect(first).toEqual(labels.map((label) => 2 * label));
    expect(labels.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it("goes on from its state", async () => {
    const source = tensorBatches(tensors, { batchSize: 2, shuffle: { seed: 3, epoch: 1 } });
    const whole = await collect(source);
    const iterator = source.iterate();
    await iterator.next();
    expect(await collect(source.iterate(iterator.state()))).toEqual(whole.slice(1));
  });

  it("refuses tensors of different lengths", () => {
    expect(() => tensorBatches({ ...tensors, y: tensor("float32", [1], [0]) }, { batchSize: 2 })).toThrow(/"x" has 5, "y" has 1/);
  });
});
