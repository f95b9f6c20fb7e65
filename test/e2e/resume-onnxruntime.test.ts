import { afterAll, beforeAll, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import {
  adam,
  convNet,
  encodeTarget,
  fit,
  fitFeatures,
  fitTarget,
  memoryCheckpoints,
  sgd,
  softmaxCrossEntropy,
  splitColumns,
  tensorBatches,
  transformFeatures,
  type Backend,
  type Columns,
  type Dataset,
  type FitOptions,
  type FitResult,
  type Tensors,
} from "../../core/index.ts";
import { digitFeatures, loadDigits } from "../../examples/load-digits.ts";

let backend: Backend;
let training: Tensors;
let validation: Dataset<Tensors>;
beforeAll(async () => {
  backend = await openOnnxRuntime();
  const { table } = await loadDigits();
  const parts = splitColumns(table, { seed: 1, fractions: { train: 0.25, validation: 0.05, test: 0.7 } });
  const features = await fitFeatures(digitFeatures, [parts.train]);
  const target = fitTarget(table, "digit", { task: "classification" });
  const feeds = (rows: Columns): Tensors => ({ ...transformFeatures(features, rows), labels: encodeTarget(target, rows) });
  training = feeds(parts.train);
  validation = tensorBatches(feeds(parts.validation), { batchSize: 64 });
});
afterAll(() => backend.dispose());

/** Two epochs of 15 steps, the last of one row: 449 digits in batches of 32. */
function train(options: Partial<FitOptions> = {}): Promise<FitResult> {
  return fit({
    model: convNet({ shape: [1, 8, 8], head: { task: "classification", classes: 10 }, seed: 3 }),
    backend,
    loss: softmaxCrossEntropy({ labelSmoothing: 0.03 }),
    optimizer: adam({ learningRate: 0.003 }),
    train: (shuffle) => tensorBatches(training, { batchSize: 32, shuffle }),
    validation,
    epochs: 2,
    seed: 7,
    ...options,
  });
}

test.each([
  ["adam", adam({ learningRate: 0.003 })],
  ["sgd with momentum", sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true })],
])("on onnxruntime a network trained with %s, killed and resumed, is bit for bit the one that was not", async (_name, optimizer) => {
  const straight = await train({ optimizer });
  expect(straight.steps).toBe(30);
  expect(straight.history.at(-1)?.validation?.["accuracy"]).toBeGreaterThan(0.5); // it did learn
  for (const killedAt of [1, 11, 15, 16, 29]) {
    const checkpoints = memoryCheckpoints();
    const controller = new AbortController();
    const onEvent: FitOptions["onEvent"] = (event) => void (event.kind === "step" && event.step === killedAt && controller.abort());
    await train({ optimizer, checkpoints, signal: controller.signal, onEvent });
    const resume = await checkpoints.load("last");
    expect(resume?.step).toBe(killedAt);
    const resumed = await train({ optimizer, resume: resume! });
    expect(resumed.history, `killed at step ${killedAt}`).toEqual(straight.history);
    expect(resumed.model.state, `killed at step ${killedAt}`).toEqual(straight.model.state);
  }
});
