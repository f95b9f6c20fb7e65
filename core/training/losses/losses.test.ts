import { afterAll, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { activation } from "../../layers/activation.ts";
import { sequential } from "../../layers/sequential.ts";
import { tensor } from "../../tensor.ts";
import { meanSquaredError, softmaxCrossEntropy, type Loss } from "./index.ts";
import { accuracy, mae, rootMeanSquaredError } from "../metrics/index.ts";
import { createEvaluationGraph } from "../training-graph.ts";

const backend = openReference();
afterAll(() => backend.dispose());

/** The loss of a model that passes its input on. */
async function lossOf(loss: Loss, rows: readonly (readonly number[])[], labels: readonly number[]): Promise<number> {
  const width = rows[0]!.length;
  const model = sequential({ input: { name: "x", shape: [width] }, layers: [activation({ activation: "linear" })], output: loss.output });
  const executable = await backend.compile(createEvaluationGraph(model, { loss }));
  const given = loss.output === "logits" ? tensor("int32", [rows.length], labels) : tensor("float32", [rows.length, width], labels);
  const outputs = await executable.run({ x: tensor("float32", [rows.length, width], rows.flat()), labels: given });
  await executable.dispose();
  return Number(outputs["loss"]!.data[0]);
}

const logits = [
  [2, -1, 0.5],
  [0, 0, 3],
  [-1, 4, 1],
  [0.1, 0.2, 0.3],
];
const labels = [0, 2, 0, 1];

/** log softmax by its definition, in float64. */
function logSoftmax(row: readonly number[]): number[] {
  const total = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
  return row.map((value) => value - total);
}

const costs = logits.map((row, i) => -logSoftmax(row)[labels[i]!]!);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test("softmax cross-entropy is the mean of -log softmax at the label", async () => {
  expect(await lossOf(softmaxCrossEntropy(), logits, labels)).toBeCloseTo(mean(costs), 6);
});

test("class weights make it the weighted mean", async () => {
  const classWeights = [3, 1, 0.5];
  const weights = labels.map((label) => classWeights[label]!);
  const expected = mean(costs.map((cost, i) => cost * weights[i]!)) / mean(weights);
  expect(await lossOf(softmaxCrossEntropy({ classWeights }), logits, labels)).toBeCloseTo(expected, 6);
});

test("label smoothing is cross-entropy with the smoothed labels", async () => {
  const smoothed = logits.map((row, i) => {
    const logs = logSoftmax(row);
    return -logs.reduce((sum, log, k) => sum + log * ((k === labels[i] ? 0.8 : 0) + 0.2 / 3), 0);
  });
  expect(await lossOf(softmaxCrossEntropy({ labelSmoothing: 0.2 }), logits, labels)).toBeCloseTo(mean(smoothed), 6);
});

test("very sure logits do not overflow", async () => {
  expect(await lossOf(softmaxCrossEntropy(), [[1000, -1000]], [0])).toBeCloseTo(0, 6);
  expect(await lossOf(softmaxCrossEntropy(), [[1000, -1000]], [1])).toBeCloseTo(2000, 3);
});

test("mean squared error is over all rows", async () => {
  expect(await lossOf(meanSquaredError(), [[1], [2], [4]], [0, 2, 1])).toBeCloseTo((1 + 0 + 9) / 3, 6);
});

test("smoothing and weights out of range are refused", () => {
  expect(() => softmaxCrossEntropy({ labelSmoothing: 1 })).toThrow("labelSmoothing must be from 0 to below 1, not 1");
  expect(() => softmaxCrossEntropy({ classWeights: [1, -1] })).toThrow("class weights must be numbers from 0, not [1, -1]");
});

test("metrics add up over batches of different sizes", () => {
  const right = accuracy().start();
  right.add({ logits: tensor("float32", [2, 2], [1, 0, 0, 1]) }, tensor("int32", [2], [0, 0]));
  right.add({ logits: tensor("float32", [1, 2], [5, 5]) }, tensor("int32", [1], [0])); // of equal ones the first
  expect(right.result()).toBeCloseTo(2 / 3, 12);
  for (const [metric, expected] of [
    [rootMeanSquaredError(), Math.sqrt((1 + 9 + 4) / 3)],
    [mae(), (1 + 3 + 2) / 3],
  ] as const) {
    const sums = metric.start();
    sums.add({ prediction: tensor("float32", [2, 1], [1, 2]) }, tensor("float32", [2, 1], [0, 5]));
    sums.add({ prediction: tensor("float32", [1, 1], [0]) }, tensor("float32", [1, 1], [2]));
    expect(sums.result()).toBeCloseTo(expected, 6);
  }
});
