import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EspalierError, type Columns, type Predictions } from "../core/index.ts";
import { createBatcher } from "./batcher.ts";
import { defaultLimits } from "./limits.ts";

/** One number a row; answered with its double. A 13 fails the run that it is in. */
function numbers(values: readonly number[]): Columns {
  return { length: values.length, columns: new Map([["x", { kind: "number", values: Float64Array.from(values) }]]) };
}

function valuesOf(rows: Columns): Float64Array {
  const column = rows.columns.get("x");
  if (column?.kind !== "number") throw new Error("no numbers");
  return column.values;
}

async function double(rows: Columns): Promise<Predictions> {
  await Promise.resolve();
  const values = valuesOf(rows);
  if (values.includes(13)) throw new EspalierError("COLUMN_TYPE", "13 is unlucky");
  return { task: "regression", values: values.map((value) => value * 2) };
}

/** A model that runs only when it is told to. */
function gated() {
  const gates: (() => void)[] = [];
  const batches: number[][] = [];
  return {
    batches,
    predict: async (rows: Columns): Promise<Predictions> => {
      batches.push([...valuesOf(rows)]);
      await new Promise<void>((resolve) => gates.push(resolve));
      return await double(rows);
    },
    open: async (): Promise<void> => {
      gates.shift()?.();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    },
  };
}

const answerOf = async (pending: Promise<Predictions>): Promise<number[]> => {
  const answer = await pending;
  if (answer.task !== "regression") throw new Error("not a regression");
  return [...answer.values];
};

describe("createBatcher", () => {
  it("gives every request its own answers, whatever the order, sizes and failures", async () => {
    const requests = fc.array(
      fc.array(fc.oneof({ weight: 30, arbitrary: fc.integer({ min: 100, max: 1e6 }) }, { weight: 1, arbitrary: fc.constant(13) }), {
        minLength: 1,
        maxLength: 12,
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(requests, fc.integer({ min: 1, max: 16 }), fc.array(fc.nat(3)), async (rows, maxBatchRows, pauses) => {
        const batcher = createBatcher(double, { limits: { ...defaultLimits, maxBatchRows } });
        const pending: Promise<number[]>[] = [];
        for (const [i, values] of rows.entries()) {
          pending.push(answerOf(batcher.predict(numbers(values))));
          for (let turn = 0; turn < (pauses[i] ?? 0); turn++) await Promise.resolve();
        }
        const settled = await Promise.allSettled(pending);
        for (const [i, values] of rows.entries()) {
          const result = settled[i];
          if (values.includes(13)) expect(result).toMatchObject({ status: "rejected", reason: { code: "COLUMN_TYPE" } });
          else expect(result).toEqual({ status: "fulfilled", value: values.map((value) => value * 2) });
        }
        expect(batcher.queued).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it("runs the first request at once and what came meanwhile as one batch", async () => {
    const model = gated();
    const batcher = createBatcher(model.predict);
    const pending = [[1], [2, 3], [4]].map((values) => answerOf(batcher.predict(numbers(values))));
    expect(model.batches).toEqual([[1]]);
    expect(batcher.queued).toBe(2);
    await model.open();
    expect(model.batches).toEqual([[1], [2, 3, 4]]);
    await model.open();
    expect(await Promise.all(pending)).toEqual([[2], [4, 6], [8]]);
  });

  it("runs a request of more rows than a batch may have in slices", async () => {
    const seen: number[] = [];
    const batcher = createBatcher(
      (rows) => {
        seen.push(rows.length);
        return double(rows);
      },
      { limits: { ...defaultLimits, maxBatchRows: 3 } },
    );
    expect(await answerOf(batcher.predict(numbers([1, 2, 3, 4, 5, 6, 7])))).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect(seen).toEqual([3, 3, 1]);
  });

  it("fails the one request that is to blame and answers its neighbours", async () => {
    const model = gated();
    const batcher = createBatcher(model.predict);
    const pending = [[1], [2], [13], [4]].map((values) => answerOf(batcher.predict(numbers(values))));
    const settled = Promise.allSettled(pending);
    for (let run = 0; run < 5; run++) await model.open();
    expect((await settled).map((result) => (result.status === "fulfilled" ? result.value : "failed"))).toEqual([[2], [4], "failed", [8]]);
  });

  it("refuses requests beyond the queue's bounds and goes on when it has drained", async () => {
    const model = gated();
    const batcher = createBatcher(model.predict, { limits: { ...defaultLimits, maxQueuedRequests: 2 } });
    const pending = [[1], [2], [3]].map((values) => answerOf(batcher.predict(numbers(values))));
    await expect(batcher.predict(numbers([4]))).rejects.toMatchObject({ code: "SERVER_BUSY", details: { queuedRequests: 2 } });
    await model.open();
    await model.open();
    expect(await Promise.all(pending)).toEqual([[2], [4], [6]]);
    const later = answerOf(batcher.predict(numbers([5])));
    await model.open();
    expect(await later).toEqual([10]);
  });

  it("bounds what waiting requests hold, but lets a lone large one wait", async () => {
    const model = gated();
    const batcher = createBatcher(model.predict, { limits: { ...defaultLimits, maxQueuedValues: 4 } });
    const pending = [[1], [2, 3, 4, 5, 6]].map((values) => answerOf(batcher.predict(numbers(values))));
    await expect(batcher.predict(numbers([7]))).rejects.toMatchObject({ code: "SERVER_BUSY" });
    await model.open();
    await model.open();
    expect(await Promise.all(pending)).toEqual([[2], [4, 6, 8, 10, 12]]);
  });

  it("drops a waiting request whose client went away, without running it", async () => {
    const model = gated();
    const batcher = createBatcher(model.predict);
    const first = answerOf(batcher.predict(numbers([1])));
    const gone = new AbortController();
    const dropped = batcher.predict(numbers([2]), { signal: gone.signal });
    gone.abort();
    await expect(dropped).rejects.toMatchObject({ code: "CANCELLED" });
    await model.open();
    expect(await first).toEqual([2]);
    await batcher.idle();
    expect(model.batches).toEqual([[1]]);
  });

  it("says so when a model answers another number of rows than it was asked", async () => {
    const batcher = createBatcher(async () => ({ task: "regression", values: new Float64Array(3) }));
    await expect(batcher.predict(numbers([1, 2]))).rejects.toMatchObject({ code: "INTERNAL" });
  });
});
