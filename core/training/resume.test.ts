import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Backend, Executable } from "../backend.ts";
import type { EspalierError } from "../errors.ts";
import { linear } from "../models/linear.ts";
import { mlp } from "../models/mlp.ts";
import { scalar } from "../tensor.ts";
import type { Checkpoint, CheckpointStore } from "./checkpoint.ts";
import type { TrainingEvent } from "./event.ts";
import type { FitOptions } from "./fit-options.ts";
import { fit } from "./fit.ts";
import { meanSquaredError, softmaxCrossEntropy } from "./losses/index.ts";
import { memoryCheckpoints } from "./memory-checkpoints.ts";
import { adam, sgd } from "./optimizers/index.ts";
import { cosineSchedule } from "./schedules/index.ts";
import { batchesOf, shuffledBatchesOf } from "./testing/batches.ts";
import { blobs, plane } from "./testing/synthetic.ts";

const backend: Backend = openReference();

/** Three epochs of 7 uneven steps, with slots, a schedule and validation: everything that a checkpoint must bring back. */
function plan(): FitOptions {
  return {
    model: mlp({ width: 2, head: { task: "classification", classes: 3 }, hidden: [8], seed: 5 }),
    backend,
    loss: softmaxCrossEntropy({ labelSmoothing: 0.05 }),
    optimizer: adam({ learningRate: 0.01, weightDecay: 0.001 }),
    schedule: cosineSchedule({ warmupSteps: 3 }),
    train: shuffledBatchesOf(blobs({ rows: 50, seed: 1 }), 8),
    validation: batchesOf(blobs({ rows: 30, seed: 2 }), 16),
    epochs: 3,
    seed: 11,
    earlyStopping: { patience: 2 },
  };
}

/** Trains until a step's event, as a kill of the process after that step would leave it, and reads the checkpoint back from its bytes. */
async function interrupted(atStep: number): Promise<Checkpoint> {
  const checkpoints = memoryCheckpoints();
  const controller = new AbortController();
  const result = await fit({
    ...plan(),
    checkpoints,
    signal: controller.signal,
    onEvent: (event) => void (event.kind === "step" && event.step === atStep && controller.abort()),
  });
  expect(result.reason).toBe("cancelled");
  expect(result.steps).toBe(atStep);
  return (await checkpoints.load("last"))!;
}

describe("resume", () => {
  test.each([1, 5, 7, 8, 13, 14, 20, 21])("a run cancelled at step %i and resumed ends bit for bit like one without a break", async (atStep) => {
    const straight = await fit(plan());
    const resumed = await fit({ ...plan(), resume: await interrupted(atStep) });
    expect(resumed.model.state).toEqual(straight.model.state); // typed arrays: equal bits, but for the sign of zero
    expect(resumed.history).toEqual(straight.history);
    expect({ reason: resumed.reason, steps: resumed.steps, bestEpoch: resumed.bestEpoch }).toEqual({
      reason: straight.reason,
      steps: 21,
      bestEpoch: straight.bestEpoch,
    });
  });

  test("any checkpoint of every second step leads to the same end", async () => {
    const straight = await fit(plan());
    const kept: Checkpoint[] = [];
    const store: CheckpointStore = { save: async (checkpoint) => `number ${kept.push(checkpoint)}`, load: async () => undefined };
    await fit({ ...plan(), checkpoints: store, checkpointEvery: 2 });
    expect(kept.map(({ step }) => step)).toEqual([0, 2, 4, 6, 7, 8, 10, 12, 14, 14, 16, 18, 20, 21]); // 14 is an even step and an epoch's end
    for (const checkpoint of kept) {
      const resumed = await fit({ ...plan(), resume: checkpoint });
      expect(resumed.model.state).toEqual(straight.model.state);
      expect(resumed.history).toEqual(straight.history);
    }
  });

  test("a finished run that is resumed does nothing more, and more epochs go on from it", async () => {
    const checkpoints = memoryCheckpoints();
    const constant = { ...plan(), schedule: ({ learningRate }: { learningRate: number }) => learningRate };
    const short = await fit({ ...constant, epochs: 2, checkpoints });
    const last = (await checkpoints.load("last"))!;
    const again = await fit({ ...constant, epochs: 2, resume: last });
    expect(again).toEqual(short);
    expect(await fit({ ...constant, epochs: 3, resume: last })).toEqual(await fit({ ...constant, epochs: 3 }));
  });

  test("refuses a checkpoint of another model, optimizer, loss or seed", async () => {
    const checkpoint = await interrupted(3);
    const code = async (change: Partial<FitOptions>): Promise<string> =>
      fit({ ...plan(), ...change, resume: checkpoint }).then(
        () => "accepted",
        (error: unknown) => (error as EspalierError).code,
      );
    const wider = mlp({ width: 2, head: { task: "classification", classes: 3 }, hidden: [9] });
    expect(await code({ model: wider })).toBe("CHECKPOINT_INVALID");
    expect(await code({ optimizer: sgd() })).toBe("CHECKPOINT_INVALID");
    expect(await code({ loss: softmaxCrossEntropy() })).toBe("CHECKPOINT_INVALID");
    expect(await code({ seed: 12 })).toBe("CHECKPOINT_INVALID");
    expect(await code({})).toBe("accepted");
  });

  test("refuses a checkpoint that lacks a slot", async () => {
    const checkpoint = await interrupted(3);
    const state = Object.fromEntries(Object.entries(checkpoint.state).filter(([name]) => name !== "adam/v/dense/bias"));
    await expect(fit({ ...plan(), resume: { ...checkpoint, state } })).rejects.toThrow(/nothing for "adam\/v\/dense\/bias"/);
  });
});

test("a checkpoint whose best weights are not the model's is refused", async () => {
  const checkpoint = await interrupted(8);
  const best = checkpoint.best ?? expect.fail("an epoch has ended by then");
  const { "dense/bias": bias, ...others } = best.state;
  expect(bias).toBeDefined();
  await expect(fit({ ...plan(), resume: { ...checkpoint, best: { ...best, state: others } } })).rejects.toMatchObject({
    code: "CHECKPOINT_INVALID",
    message: expect.stringContaining('nothing for "dense/bias" among its best weights'),
  });
});

describe("a signal", () => {
  test("that fired before the first step is an error", async () => {
    await expect(fit({ ...plan(), signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test("in the first epoch leaves the last step's weights and a checkpoint", async () => {
    const checkpoint = await interrupted(4);
    expect(checkpoint).toMatchObject({ step: 4, epoch: 1, best: undefined, progress: { batches: 4, rows: 32 } });
    const until4 = await fit({ ...plan(), resume: checkpoint, epochs: 1 });
    expect(until4.steps).toBe(7);
  });

  test("from a timer is heard although the backend never waits", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 0);
    const result = await fit({ ...plan(), epochs: 1000, earlyStopping: { patience: 1000 }, signal: controller.signal });
    expect(result.reason).toBe("cancelled");
  });
});

describe("a loss that is not finite", () => {
  test("stops training, says where, and leaves the last checkpoint as it was", async () => {
    const checkpoints = memoryCheckpoints();
    const events: TrainingEvent[] = [];
    const data = plane({ rows: 12, coefficients: [1, 2, 3] });
    const diverging = fit({
      model: linear({ width: 3, head: { task: "regression" } }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 1e6 }),
      train: batchesOf(data, 4),
      epochs: 20,
      checkpoints,
      onEvent: (event) => void events.push(event),
    });
    const error = await diverging.then(
      () => undefined,
      (failure: unknown) => failure as EspalierError,
    );
    const steps = events.filter(({ kind }) => kind === "step").length;
    expect(error).toMatchObject({ code: "LOSS_NOT_FINITE", details: { step: steps + 1, epoch: Math.floor(steps / 3) + 1, learningRate: 1e6 } });
    expect(error?.message).toContain(`in step ${steps + 1} of epoch ${Math.floor(steps / 3) + 1} at learning rate 1000000`);
    expect(error?.message).toMatch(/the last good checkpoint is memory \(step \d+\)/);
    const last = (await checkpoints.load("last"))!;
    expect(last.step).toBe(Math.floor(steps / 3) * 3);
    for (const { data: values } of Object.values(last.state)) expect((values as Float32Array).every(Number.isFinite)).toBe(true);
  });

  test("never reaches a checkpoint: weights that overflowed are not saved", async () => {
    const saved: number[] = [];
    const store: CheckpointStore = { save: async ({ step }) => `number ${saved.push(step)}`, load: async () => undefined };
    const failing = fit({
      model: linear({ width: 1, head: { task: "regression" } }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 3e38 }), // the first loss is finite, the first update is not
      train: batchesOf(plane({ rows: 2, coefficients: [20] }), 2),
      epochs: 5,
      checkpoints: store,
      checkpointEvery: 1,
    });
    await expect(failing).rejects.toThrow(/a weight is not a finite number in step 1 of epoch 1.*the last good checkpoint is number 1/);
    expect(saved).toEqual([0]); // the start
  });
});

test("everything compiled is disposed: after success, cancellation and failure", async () => {
  let live = 0;
  let compiled = 0;
  const inner = new Map<Executable, Executable>();
  const counting: Backend = {
    ...backend,
    async compile(graph, { shareStateWith, ...rest } = {}) {
      const own = await backend.compile(graph, { ...rest, ...(shareStateWith && { shareStateWith: inner.get(shareStateWith)! }) });
      live += 1;
      compiled += 1;
      const wrapped: Executable = {
        graph,
        run: (feeds) => own.run(feeds),
        readState: (names) => own.readState(names),
        writeState: (state) => own.writeState(state),
        dispose: async () => {
          live -= 1;
          await own.dispose();
        },
      };
      inner.set(wrapped, own);
      return wrapped;
    },
  };
  await fit({ ...plan(), backend: counting });
  expect({ compiled, live }).toEqual({ compiled: 2, live: 0 });

  const controller = new AbortController();
  await fit({ ...plan(), backend: counting, signal: controller.signal, onEvent: ({ kind }) => void (kind === "step" && controller.abort()) });
  expect({ compiled, live }).toEqual({ compiled: 4, live: 0 });

  const failure = new Error("the handler failed");
  const failing = fit({ ...plan(), backend: counting, onEvent: ({ kind }) => (kind === "step" ? Promise.reject(failure) : undefined) });
  await expect(failing).rejects.toBe(failure);
  expect({ compiled, live }).toEqual({ compiled: 6, live: 0 });

  const lost = fit({
    ...plan(),
    backend: { ...counting, compile: (graph, options) => (options?.shareStateWith ? Promise.reject(failure) : counting.compile(graph, options)) },
  });
  await expect(lost).rejects.toBe(failure);
  expect({ compiled, live }).toEqual({ compiled: 7, live: 0 });
});

test("a step is the optimizer's: one step of sgd with momentum on a hand-computed gradient", async () => {
  const { model } = await fit({
    model: linear({ width: 1, head: { task: "regression" } }),
    backend,
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.5, momentum: 0.9 }),
    train: batchesOf(
      {
        features: { dtype: "float32", shape: [1, 1], data: Float32Array.of(2) },
        labels: { dtype: "float32", shape: [1, 1], data: Float32Array.of(3) },
      },
      1,
    ),
    epochs: 2,
  });
  // Step 1: prediction 0, d loss / d prediction = -6, gradients (-12, -6), weights (6, 3). Its loss, 9, is lower than the second step's, (15 - 3)^2 = 144,
  // so epoch 1 stays the best one.
  expect(model.state["dense/kernel"]).toEqual({ ...scalar(6), shape: [1, 1] });
  expect(model.state["dense/bias"]).toEqual({ ...scalar(3), shape: [1] });
});
