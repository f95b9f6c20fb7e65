import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Backend } from "../backend.ts";
import { linear } from "../models/linear.ts";
import { mlp } from "../models/mlp.ts";
import { Random } from "../random.ts";
import { tensor, toNumbers, type Tensors } from "../tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { TrainingEvent } from "./event.ts";
import { fit } from "./fit.ts";
import { meanSquaredError, softmaxCrossEntropy } from "./losses/index.ts";
import { adam, sgd } from "./optimizers/index.ts";
import { cosineSchedule } from "./schedules/index.ts";
import { batchesOf, shuffledBatchesOf } from "./testing/batches.ts";
import { leastSquares } from "./testing/least-squares.ts";
import { blobs, plane } from "./testing/synthetic.ts";

let backend: Backend;
beforeEach(() => {
  backend = openReference();
});
afterEach(() => backend.dispose());

const regression = { task: "regression" } as const;
const threeClasses = { task: "classification", classes: 3 } as const;

describe("fit", () => {
  test("finds the least-squares solution of a linear regression", async () => {
    const data = plane({ rows: 120, coefficients: [2, -1, 0.25], intercept: 0.5, noise: 0.3 });
    const { model } = await fit({
      model: linear({ width: 3, head: regression }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
      train: batchesOf(data, 120), // whole-batch descent converges to the optimum itself
      epochs: 300,
    });
    const exact = leastSquares(data); // [coefficients, intercept], from the normal equations in float64
    const found = [...toNumbers(model.state["dense/kernel"]!), ...toNumbers(model.state["dense/bias"]!)];
    expect(found).toHaveLength(4);
    // Around the optimum the float32 loss is flat to about 1e-7, so the weights are known to about 1e-5.
    found.forEach((value, i) => expect(value).toBeCloseTo(exact[i]!, 4));
  });

  test("adam and shuffled batches separate three classes", async () => {
    const { history } = await fit({
      model: mlp({ width: 2, head: threeClasses, hidden: [16], seed: 3 }),
      backend,
      loss: softmaxCrossEntropy(),
      optimizer: adam({ learningRate: 0.02 }),
      train: shuffledBatchesOf(blobs({ rows: 150, seed: 1 }), 32),
      validation: batchesOf(blobs({ rows: 90, seed: 2 }), 40),
      epochs: 15,
    });
    expect(history).toHaveLength(15);
    expect(history.at(-1)?.rows).toBe(150); // the last, smaller batch counts too
    expect(history.at(-1)?.validation?.["accuracy"]).toBeGreaterThan(0.97);
  });

  test("one seed gives one result, another seed another", async () => {
    const train = (seed: number): ReturnType<typeof fit> =>
      fit({
        model: mlp({ width: 2, head: threeClasses, hidden: [8], seed }),
        backend,
        loss: softmaxCrossEntropy(),
        optimizer: adam(),
        train: shuffledBatchesOf(blobs({ rows: 60, seed: 1 }), 16),
        epochs: 2,
        seed,
      });
    const [first, again, other] = [await train(1), await train(1), await train(2)];
    expect(again.model.state).toEqual(first.model.state);
    expect(again.history).toEqual(first.history);
    expect(other.history).not.toEqual(first.history);
  });

  test("stops when the validation loss has not fallen for 3 epochs, and returns the best epoch's weights", async () => {
    // Noise cannot be learned: validation gets worse while training gets better.
    const noise = (seed: number): Tensors => {
      const random = new Random(seed);
      return {
        features: tensor("float32", [40, 6], random.normals(240)),
        labels: tensor(
          "int32",
          [40],
          Int32Array.from({ length: 40 }, () => random.integer(3)),
        ),
      };
    };
    const validation = batchesOf(noise(2), 40);
    const common = {
      backend,
      loss: softmaxCrossEntropy(),
      optimizer: adam({ learningRate: 0.05 }),
      train: batchesOf(noise(1), 20),
      validation,
    } as const;
    const model = mlp({ width: 6, head: threeClasses, hidden: [32], seed: 1 });
    const stopped = await fit({ ...common, model, epochs: 50, earlyStopping: { patience: 3 } });
    expect(stopped.reason).toBe("early-stopping");
    expect(stopped.history).toHaveLength(stopped.bestEpoch + 3);
    const losses = stopped.history.map((record) => record.validation!["loss"]!);
    expect(losses[stopped.bestEpoch - 1]).toBe(Math.min(...losses));
    const untilBest = await fit({ ...common, model, epochs: stopped.bestEpoch });
    expect(stopped.model.state).toEqual(untilBest.model.state);
  });

  test("tells what happens in order", async () => {
    const events: TrainingEvent[] = [];
    let now = 0;
    await fit({
      model: linear({ width: 3, head: regression }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 0.1 }),
      train: batchesOf(plane({ rows: 10, coefficients: [1, 2, 3] }), 5),
      validation: batchesOf(plane({ rows: 4, coefficients: [1, 2, 3], seed: 9 }), 4),
      epochs: 2,
      clock: () => (now += 10),
      onEvent: (event) => void events.push(event),
    });
    expect(events.map(({ kind }) => kind)).toEqual(["start", "step", "step", "epoch", "step", "step", "epoch", "stopped"]);
    expect(events[0]).toMatchObject({ backend: "reference", parameters: 4, rows: 10, epochs: 2, step: 0 });
    expect(events[2]).toMatchObject({ step: 2, epoch: 1, rows: 10, rowsPerEpoch: 10, learningRate: 0.1 });
    const step = events[2] as Extract<TrainingEvent, { kind: "step" }>;
    expect(step.remainingMs).toBeCloseTo((1000 * 10) / step.rowsPerSecond!, 6); // as many rows are left as are done
    expect(events[3]).toMatchObject({
      best: true,
      record: { epoch: 1, step: 2, validation: { loss: expect.any(Number), rmse: expect.any(Number) } },
    });
    expect(events.at(-1)).toMatchObject({ reason: "finished", step: 4, epoch: 2 });
  });

  test("waits for a promise that an event handler returns", async () => {
    let finished = 0;
    await fit({
      model: linear({ width: 3, head: regression }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd(),
      train: batchesOf(plane({ rows: 4, coefficients: [1, 2, 3] }), 1),
      epochs: 1,
      onEvent: async (event) => {
        if (event.kind !== "step") return;
        expect(finished).toBe(event.step - 1);
        await new Promise((resolve) => setImmediate(resolve));
        finished = event.step;
      },
    });
    expect(finished).toBe(4);
  });

  test("weighs every row alike in an epoch's loss, whatever the batches", async () => {
    const data = plane({ rows: 7, coefficients: [1, -1, 2], noise: 0.5 });
    const still = {
      model: linear({ width: 3, head: regression }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 0 }),
      epochs: 1,
    };
    const uneven = await fit({ ...still, train: batchesOf(data, 3), validation: batchesOf(data, 4) });
    const squares = toNumbers(data["labels"]!).map((label) => label * label); // the zero model predicts 0
    const expected = squares.reduce((sum, square) => sum + square, 0) / 7;
    expect(uneven.history[0]?.loss).toBeCloseTo(expected, 5);
    expect(uneven.history[0]?.validation?.["loss"]).toBeCloseTo(expected, 5);
    expect(uneven.history[0]?.validation?.["rmse"]).toBeCloseTo(Math.sqrt(expected), 5);
  });

  test("a cosine schedule lowers the rate to its floor", async () => {
    const rates: number[] = [];
    await fit({
      model: linear({ width: 3, head: regression }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 0.1 }),
      schedule: cosineSchedule({ floor: 0.1, warmupSteps: 2 }),
      train: batchesOf(plane({ rows: 8, coefficients: [1, 2, 3] }), 2),
      epochs: 4,
      onEvent: (event) => void (event.kind === "step" && rates.push(event.learningRate)),
    });
    expect(rates).toHaveLength(16);
    expect(rates[0]).toBeCloseTo(0.05, 10); // half way through the warm-up
    expect(rates[8]).toBeCloseTo(0.1 * (0.1 + 0.9 / 2), 10); // half way through the cosine
    expect(rates[15]).toBeLessThan(0.0115);
  });

  test("returns the average of the weights that the optimizer keeps", async () => {
    const kept: Checkpoint[] = [];
    const optimizer = sgd({ learningRate: 0.1, ema: 0.5 });
    const options = {
      model: linear({ width: 3, head: regression }),
      backend,
      loss: meanSquaredError(),
      optimizer,
      train: batchesOf(plane({ rows: 8, coefficients: [1, 2, 3] }), 4),
      epochs: 2,
    };
    const store = { save: async (checkpoint: Checkpoint) => String(kept.push(checkpoint)), load: async () => undefined };
    const { model } = await fit({ ...options, weights: "averaged", checkpoints: store, checkpointEvery: 1 });
    // By hand: the average of step 1 is its weights, after that half of the one before and half of the new weights.
    const [first = [], ...later] = [1, 2, 3, 4].map((step) => toNumbers(kept.find((checkpoint) => checkpoint.step === step)!.state["dense/kernel"]!));
    const expected = later.reduce((average, weights) => average.map((value, i) => 0.5 * value + 0.5 * weights[i]!), first);
    toNumbers(model.state["dense/kernel"]!).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    await expect(fit({ ...options, optimizer: sgd(), weights: "averaged" })).rejects.toThrow(/sgd keeps no averages of the weights; give it ema/);
  });

  test("clipping by the global norm bounds a step", async () => {
    const data = plane({ rows: 20, coefficients: [50, 50, 50] });
    const model = linear({ width: 3, head: regression });
    const one = (globalClipNorm?: number): ReturnType<typeof fit> =>
      fit({
        model,
        backend,
        loss: meanSquaredError(),
        optimizer: sgd({ learningRate: 1 }),
        train: batchesOf(data, 20),
        epochs: 1,
        ...(globalClipNorm !== undefined && { globalClipNorm }),
      });
    const moved = async (clip?: number): Promise<number> => Math.hypot(...Object.values((await one(clip)).model.state).flatMap(toNumbers));
    expect(await moved(0.5)).toBeCloseTo(0.5, 5); // the model starts at zero, so it is where one step of length 0.5 leads
    expect(await moved()).toBeGreaterThan(10);
    expect(await moved(1e6)).toBeCloseTo(await moved(), 3);
  });
});

test.each<[string, object, string]>([
  ["optimizer", { optimizer: "adam" }, 'optimizer must be an optimizer, such as adam(), or createOptimizer by its name, not "adam"'],
  ["loss", { loss: "mse" }, 'loss must be a loss, such as softmaxCrossEntropy(), or createLoss by its name, not "mse"'],
  ["model", { model: {} }, "model must be a model"],
  ["backend", { backend: Promise.resolve(openReference()) }, "backend must be a backend, such as openReference(), not a promise (await it)"],
  ["data", { train: undefined }, "train must be batches"],
  ["data's function", { train: () => undefined }, "train({ epoch: 1, seed: 0 }) must return batches"],
  ["validation", { validation: [] }, "validation must be batches"],
  ["checkpoint", { resume: Promise.resolve() }, 'resume must be a checkpoint, such as await store.load("last"), not a promise (await it)'],
  ["checkpoint", { resume: null }, "resume must be a checkpoint"],
])("a %s of another kind is refused with one that would do", async (_what, wrong, message) => {
  const options = {
    model: linear({ width: 3, head: { task: "regression" } }),
    backend: openReference(),
    loss: meanSquaredError(),
    optimizer: sgd(),
    train: batchesOf(plane({ rows: 4, coefficients: [1, 2, 3] }), 2),
  };
  const refusal = { code: "ARGUMENT_INVALID", message: expect.stringContaining(`fit: ${message}`) };
  await expect(fit({ ...options, ...wrong })).rejects.toMatchObject(refusal);
});
