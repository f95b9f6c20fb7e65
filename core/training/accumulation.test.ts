import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { mlp } from "../models/mlp.ts";
import type { Model } from "../models/model.ts";
import { tensor, toNumbers, type Tensors } from "../tensor.ts";
import type { FitOptions, FitResult } from "./fit-options.ts";
import { fit } from "./fit.ts";
import { softmaxCrossEntropy } from "./losses/index.ts";
import { memoryCheckpoints } from "./memory-checkpoints.ts";
import { adam, averagedWeights, sgd } from "./optimizers/index.ts";
import { l2 } from "./regularizer.ts";
import { batchesOf } from "./testing/batches.ts";
import { blobs } from "./testing/synthetic.ts";

const backend = openReference();

function plan(): FitOptions {
  return {
    model: mlp({ width: 2, head: { task: "classification", classes: 3 }, hidden: [8], seed: 5 }),
    backend,
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.01, weightDecay: 0.001 }),
    globalClipNorm: 0.5,
    train: batchesOf(blobs({ rows: 48, seed: 1 }), 12),
    validation: batchesOf(blobs({ rows: 30, seed: 2 }), 30),
    epochs: 3,
    weights: "last",
  };
}

function expectEqual(found: FitResult, expected: FitResult): void {
  found.history.forEach((record, i) => expect(record.validation!["loss"]).toBeCloseTo(expected.history[i]!.validation!["loss"]!, 5));
  for (const [name, value] of Object.entries(expected.model.state)) {
    const numbers = toNumbers(found.model.state[name]!);
    toNumbers(value).forEach((number, i) => expect(numbers[i]).toBeCloseTo(number, 4));
  }
}

describe("accumulated gradients", () => {
  test("of three batches move the parameters as one batch of all their rows", async () => {
    const whole = await fit(plan());
    const parts = await fit({ ...plan(), train: batchesOf(blobs({ rows: 48, seed: 1 }), 4), accumulateSteps: 3 });
    expect(parts.steps).toBe(3 * whole.steps);
    expectEqual(parts, whole);
  });

  test("of batches of unequal size count every row alike, and what is left at an epoch's end makes an update of its own", async () => {
    // 44 rows in batches of 12: 12, 12, 12 and 8. In batches of 8, two by two: 16, 16 and 12, of which the last is 8 and 4.
    const rows = blobs({ rows: 44, seed: 1 });
    const whole = await fit({ ...plan(), train: batchesOf(rows, 16) });
    const parts = await fit({ ...plan(), train: batchesOf(rows, 8), accumulateSteps: 2 });
    expect(parts.history.map(({ step }) => step)).toEqual([6, 12, 18]);
    expectEqual(parts, whole);
  });

  test("with row weights and a regulariser equal one weighted batch", async () => {
    const rows: Tensors = {
      ...blobs({ rows: 24, seed: 3 }),
      weights: tensor(
        "float32",
        [24],
        Array.from({ length: 24 }, (_, row) => (row % 5) / 2),
      ),
    };
    const model: Model = { ...plan().model, parameters: { "dense/kernel": { regularizer: l2(0.05) } } };
    const common = { ...plan(), model, sampleWeights: true, validation: batchesOf(rows, 24), optimizer: sgd({ learningRate: 0.2, momentum: 0.9 }) };
    const whole = await fit({ ...common, train: batchesOf(rows, 24) });
    const parts = await fit({ ...common, train: batchesOf(rows, 5), accumulateSteps: 5 });
    expect(parts.steps).toBe(15); // the last batch of 4 rows is one of five
    expectEqual(parts, whole);
  });

  test("take the optimizer's step count and the schedule's from the updates", async () => {
    const steps: number[] = [];
    const schedule = ({ learningRate, step }: { learningRate: number; step: number }): number => {
      steps.push(step);
      return learningRate;
    };
    await fit({ ...plan(), accumulateSteps: 2, epochs: 2, schedule });
    expect(steps).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  });

  test("average the weights by updates: a checkpoint gives the averages that fit returns, from the first update on", async () => {
    for (const epochs of [1, 2, 3]) {
      const optimizer = adam({ learningRate: 0.05, ema: 0.6 });
      const checkpoints = memoryCheckpoints();
      const options = { ...plan(), optimizer, accumulateSteps: 4, epochs, checkpoints }; // four batches an epoch: one update
      const { model } = await fit({ ...options, weights: "averaged" });
      const checkpoint = (await checkpoints.load("last")) ?? expect.fail("nothing was saved");
      expect([checkpoint.step, checkpoint.updates]).toEqual([4 * epochs, epochs]);
      expect(averagedWeights(plan().model, { ...checkpoint, optimizer }).state).toEqual(model.state);
      const { model: last } = await fit({ ...options, weights: "last" });
      // The average of the first update is the weights, as in Keras, not a mean with the zeros that a slot starts with.
      if (epochs === 1) expect(model.state).toEqual(last.state);
      else expect(model.state).not.toEqual(last.state);
    }
  });

  test("are refused in numbers below 1", async () => {
    await expect(fit({ ...plan(), accumulateSteps: 0 })).rejects.toThrow(/accumulateSteps must be a whole number from 1, not 0/);
  });
});
