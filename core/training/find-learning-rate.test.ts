import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { linear } from "../models/linear.ts";
import { mlp } from "../models/mlp.ts";
import { tensor } from "../tensor.ts";
import { findLearningRate } from "./find-learning-rate.ts";
import { fit } from "./fit.ts";
import { meanSquaredError, softmaxCrossEntropy } from "./losses/index.ts";
import { adam, sgd } from "./optimizers/index.ts";
import { batchesOf, shuffledBatchesOf } from "./testing/batches.ts";
import { blobs, plane } from "./testing/synthetic.ts";

const backend = openReference();
afterAll(() => backend.dispose());

const network = mlp({ width: 2, head: { task: "classification", classes: 3 }, hidden: [16], seed: 1 });
const train = shuffledBatchesOf(blobs({ rows: 300, spread: 0.8 }), 30);
const common = { model: network, backend, loss: softmaxCrossEntropy(), train };

test("the sweep raises the rate evenly in the logarithm and leaves the model as it was", async () => {
  const before = structuredClone(network.state);
  const { curve } = await findLearningRate({ ...common, optimizer: adam(), steps: 21, minLearningRate: 1e-5, maxLearningRate: 0.1 });
  expect(curve).toHaveLength(21);
  expect(curve[0]?.learningRate).toBeCloseTo(1e-5, 12);
  expect(curve[5]?.learningRate).toBeCloseTo(1e-4, 12);
  expect(curve[20]?.learningRate).toBeCloseTo(0.1, 12);
  expect(network.state).toEqual(before);
});

test("the suggested rate trains better than one a thousand times smaller, and lies below where the loss diverges", async () => {
  const optimizer = sgd();
  const { curve, suggestion, diverged } = await findLearningRate({ ...common, optimizer, maxLearningRate: 1e4 });
  expect(diverged).toBe(true);
  expect(curve.length).toBeLessThan(100);
  expect(suggestion).toBeLessThan(curve.at(-1)!.learningRate);
  const lossAt = async (learningRate: number): Promise<number> =>
    (await fit({ ...common, optimizer, epochs: 3, schedule: () => learningRate })).history.at(-1)!.loss;
  expect(await lossAt(suggestion!)).toBeLessThan(0.5 * (await lossAt(suggestion! / 1000)));
});

test("a least-squares problem diverges above the rate that theory names", async () => {
  // With one feature x of mean square s and no intercept to speak of, gradient descent on (wx - y)^2 is stable below 1 / s.
  const data = plane({ rows: 64, coefficients: [3], noise: 0.1 });
  const meanSquare = Array.from(data["features"]!.data, Number).reduce((sum, x) => sum + x * x, 0) / 64;
  const options = { model: linear({ width: 1, head: { task: "regression" } }), backend, loss: meanSquaredError(), optimizer: sgd() };
  const { curve, diverged } = await findLearningRate({ ...options, train: batchesOf(data, 64), steps: 200, maxLearningRate: 100 });
  expect(diverged).toBe(true);
  expect(curve.at(-1)!.learningRate).toBeGreaterThan(1 / meanSquare);
  expect(curve.at(-1)!.learningRate).toBeLessThan(10 / meanSquare);
});

test("no rate is suggested when none lowers the loss", async () => {
  const model = linear({ width: 1, head: { task: "regression" } });
  const done = { features: tensor("float32", [4, 1], [1, 2, 3, 4]), labels: tensor("float32", [4, 1], [0, 0, 0, 0]) }; // it starts at the solution
  const { suggestion } = await findLearningRate({ model, backend, loss: meanSquaredError(), optimizer: sgd(), train: batchesOf(done, 4), steps: 20 });
  expect(suggestion).toBeUndefined();
});

test("bad ranges, empty data and a fired signal are refused", async () => {
  const options = { ...common, optimizer: adam() };
  await expect(findLearningRate({ ...options, minLearningRate: 0 })).rejects.toThrow(
    "findLearningRate: minLearningRate must be a number above 0, not 0",
  );
  await expect(findLearningRate({ ...options, maxLearningRate: 1e-9 })).rejects.toThrow(
    "maxLearningRate must be above minLearningRate 1e-7, not 1e-9",
  );
  await expect(findLearningRate({ ...options, steps: 5 })).rejects.toThrow("steps must be a whole number from 10, not 5");
  await expect(findLearningRate({ ...options, divergence: 1 })).rejects.toThrow("divergence must be a number above 1, not 1");
  const empty = batchesOf({ features: tensor("float32", [0, 2], []), labels: tensor("int32", [0], []) }, 4);
  await expect(findLearningRate({ ...options, train: empty })).rejects.toMatchObject({ code: "DATA_EMPTY" });
  await expect(findLearningRate({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
});
