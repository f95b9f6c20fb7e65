import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { tensorFeeds } from "../data/tensor-batches.ts";
import { mlp } from "../models/mlp.ts";
import { estimateMemory } from "../profiling/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-file.ts";
import type { FitOptions, FitResult } from "./fit-options.ts";
import { fit } from "./fit.ts";
import { softmaxCrossEntropy } from "./losses/index.ts";
import { memoryCheckpoints } from "./memory-checkpoints.ts";
import { adam } from "./optimizers/index.ts";
import { shuffledBatchesOf } from "./testing/batches.ts";
import { blobs } from "./testing/synthetic.ts";
import { createTrainingGraph } from "./training-graph.ts";
import type { RunBatchSize } from "./event.ts";

const backend = openReference();
afterAll(() => backend.dispose());

const rows = blobs({ rows: 4096, seed: 1 });
const model = mlp({ width: 2, head: { task: "classification", classes: 3 }, hidden: [4], seed: 5 });
const plan = { model, backend, loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01 }), epochs: 1, seed: 11 };

/** What a step of so many rows takes: 2.5 times the estimate of the training graph without outputs. */
function bytesOf(batch: number): number {
  return 2.5 * estimateMemory(createTrainingGraph(model, { ...plan, modelOutputs: false }), { batch }).total;
}

async function sizeOf(options: Partial<FitOptions>): Promise<RunBatchSize | undefined> {
  let size: RunBatchSize | undefined;
  await fit({ ...plan, train: tensorFeeds(rows), ...options, onEvent: (event) => void (event.kind === "start" && (size = event.batchSize)) });
  return size;
}

test("rows are made into batches in another order each epoch, as a function of batches would", async () => {
  const small = blobs({ rows: 100, seed: 2 });
  const ours = await fit({ ...plan, train: tensorFeeds(small), batchSize: 16, epochs: 2 });
  const theirs = await fit({ ...plan, train: shuffledBatchesOf(small, 16), epochs: 2 });
  expect(ours.model.state).toEqual(theirs.model.state);
  expect(ours.steps).toBe(14);
  expect([ours.batchSize, theirs.batchSize]).toEqual([16, undefined]);
  expect((await fit({ ...plan, train: tensorFeeds(small) })).steps).toBe(4); // 32 rows each when nobody says
});

test("an automatic batch size is the largest that fits into memory, and says so", async () => {
  const size = await sizeOf({ batchSize: "auto", memoryBytes: bytesOf(64) });
  expect(size).toEqual({ rows: 64, why: expect.stringMatching(/^a step needs about [\d.]+ kB, and one of twice the rows more than [\d.]+ kB$/) });
  expect(await sizeOf({ batchSize: "auto", memoryBytes: bytesOf(64) - 1 })).toMatchObject({ rows: 32 });
  await expect(sizeOf({ batchSize: "auto", memoryBytes: 100 })).rejects.toMatchObject({
    code: "ARGUMENT_INVALID",
    message: expect.stringMatching(/a step of one row needs about \d+ bytes; there are 100; allow more/),
  });
});

test("an automatic batch size leaves an epoch 32 updates, accumulated ones too", async () => {
  expect(await sizeOf({ batchSize: "auto" })).toEqual({
    rows: 128,
    why: expect.stringContaining("larger batches would leave an epoch of 4096 rows too few updates"),
  });
  expect(await sizeOf({ batchSize: "auto", accumulateSteps: 4 })).toMatchObject({ rows: 32 });
  expect(await sizeOf({ batchSize: "auto", train: tensorFeeds(blobs({ rows: 10, seed: 1 })) })).toMatchObject({ rows: 16 });
});

test("a run resumed with less memory goes on with its checkpoint's batch size, bit for bit", async () => {
  const train = tensorFeeds(rows);
  const run = (options: Partial<FitOptions>): Promise<FitResult> => fit({ ...plan, train, batchSize: "auto", ...options });
  const straight = await run({ memoryBytes: bytesOf(128) });
  expect(straight.batchSize).toBe(128);
  const checkpoints = memoryCheckpoints();
  const controller = new AbortController();
  await run({
    memoryBytes: bytesOf(128),
    checkpoints,
    signal: controller.signal,
    onEvent: (event) => void (event.kind === "step" && event.step === 9 && controller.abort()),
  });
  const saved = (await checkpoints.load("last")) ?? expect.fail("nothing was saved");
  const resume = decodeCheckpoint(encodeCheckpoint(saved));
  const resumed = await run({ memoryBytes: bytesOf(16), resume });
  expect(resumed.batchSize).toBe(128);
  expect(resumed.model.state).toEqual(straight.model.state);
  expect(await sizeOf({ batchSize: "auto", memoryBytes: bytesOf(16), resume })).toEqual({ rows: 128, why: "the checkpoint was made with it" });
});

test("a size for data that comes in batches, and sizes that are none, are refused", async () => {
  await expect(fit({ ...plan, train: shuffledBatchesOf(rows, 16), batchSize: "auto" })).rejects.toThrow(
    "fit: batchSize is auto, but the training data comes in batches; leave it out, or give rows, such as tensorFeeds(tensors)",
  );
  await expect(fit({ ...plan, train: tensorFeeds(rows), batchSize: 0.5 })).rejects.toThrow(
    'batchSize must be a whole number from 1 or "auto", not 0.5',
  );
  await expect(fit({ ...plan, train: tensorFeeds(rows), batchSize: "auto", memoryBytes: Number.NaN })).rejects.toThrow(
    "memoryBytes must be a number",
  );
});
