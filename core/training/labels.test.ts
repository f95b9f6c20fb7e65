import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { linear } from "../models/linear.ts";
import { tensor, type Tensors } from "../tensor.ts";
import { fit } from "./fit.ts";
import { meanSquaredError, softmaxCrossEntropy } from "./losses/index.ts";
import { sgd } from "./optimizers/index.ts";
import { batchesOf } from "./testing/batches.ts";

const features = tensor("float32", [4, 1], [1, 2, 3, 4]);

function classify(labels: readonly number[], options: { readonly classWeights?: readonly number[] } = {}): ReturnType<typeof fit> {
  return fit({
    model: linear({ width: 1, head: { task: "classification", classes: 2 } }),
    backend: openReference(),
    loss: softmaxCrossEntropy(options),
    optimizer: sgd(),
    train: batchesOf({ features, labels: tensor("int32", [4], labels) }, 2),
    epochs: 1,
  });
}

test("a label beyond the model's units is refused with row, label and units", async () => {
  await expect(classify([0, 1, 0, 2])).rejects.toMatchObject({
    code: "TARGET_INVALID",
    message:
      "fit: row 1 of batch 2 of epoch 1 has label 2, so there are at least 3 classes, but the model ends in 2 units; set units to 3 or check the target column",
    details: { row: 1, label: 2, units: 2 },
  });
});

test("a negative label is refused", async () => {
  await expect(classify([0, -1, 0, 1])).rejects.toThrow(
    "fit: row 1 of batch 1 of epoch 1 has label -1; labels are from 0 to 1; encode the target's classes first",
  );
});

test("class weights of another number than the units are refused", async () => {
  await expect(classify([0, 1, 0, 1], { classWeights: [1, 2, 3] })).rejects.toThrow("3 class weights, but the model ends in 2 units");
});

test("class weights pull the intercept towards the heavier class", async () => {
  const even = await classify([0, 1, 1, 0]);
  const tilted = await classify([0, 1, 1, 0], { classWeights: [1, 9] });
  const lead = (state: Tensors): number => Number(state["dense/bias"]?.data[1]) - Number(state["dense/bias"]?.data[0]);
  expect(lead(tilted.model.state)).toBeGreaterThan(lead(even.model.state));
});

test("a NaN label of a regression is refused with its row", async () => {
  const train = batchesOf({ features, labels: tensor("float32", [4, 1], [1, 2, Number.NaN, 4]) }, 4);
  const model = linear({ width: 1, head: { task: "regression" } });
  const training = fit({ model, backend: openReference(), loss: meanSquaredError(), optimizer: sgd(), train });
  await expect(training).rejects.toThrow("fit: row 2 of batch 1 of epoch 1 has label NaN; drop rows without a finite target");
});

test("a model that ends for another task is refused with the outputs that it has", async () => {
  const model = linear({ width: 1, head: { task: "regression" } });
  const training = fit({ model, backend: openReference(), loss: softmaxCrossEntropy(), optimizer: sgd(), train: batchesOf({ features }, 4) });
  await expect(training).rejects.toMatchObject({
    code: "GRAPH_INVALID",
    message: 'softmaxCrossEntropy reads the output "logits", but "linear" has prediction',
  });
});

test("a batch without labels is refused by name", async () => {
  const model = linear({ width: 1, head: { task: "regression" } });
  const training = fit({ model, backend: openReference(), loss: meanSquaredError(), optimizer: sgd(), train: batchesOf({ features }, 4) });
  await expect(training).rejects.toMatchObject({ code: "TENSOR_INVALID", message: expect.stringContaining("labels") });
});

test("data without rows is refused", async () => {
  const empty = batchesOf({ features: tensor("float32", [0, 1], []), labels: tensor("float32", [0, 1], []) }, 4);
  const model = linear({ width: 1, head: { task: "regression" } });
  const common = { model, backend: openReference(), loss: meanSquaredError(), optimizer: sgd() };
  await expect(fit({ ...common, train: empty })).rejects.toMatchObject({ code: "DATA_EMPTY" });
  const some = batchesOf({ features, labels: tensor("float32", [4, 1], [1, 2, 3, 4]) }, 4);
  await expect(fit({ ...common, train: some, validation: empty })).rejects.toMatchObject({ code: "DATA_EMPTY" });
});

test.each([
  [{ epochs: 0 }, "epochs must be a whole number from 1, not 0"],
  [{ epochs: 1.5 }, "epochs must be a whole number from 1, not 1.5"],
  [{ seed: -1 }, "seed must be a whole number from 0, not -1"],
  [{ checkpointEvery: 0 }, "checkpointEvery must be a whole number from 1, not 0"],
  [{ earlyStopping: { patience: 0 } }, "earlyStopping.patience must be a whole number from 1, not 0"],
  [{ earlyStopping: { patience: 1, minDelta: Number.NaN } }, "earlyStopping.minDelta must be a number from 0, not NaN"],
  [{ globalClipNorm: 0 }, "globalClipNorm must be a number above 0, not 0"],
])("the option %j is refused", async (change, message) => {
  const model = linear({ width: 1, head: { task: "regression" } });
  const training = fit({ model, backend: openReference(), loss: meanSquaredError(), optimizer: sgd(), train: batchesOf({ features }, 4), ...change });
  await expect(training).rejects.toMatchObject({ code: "ARGUMENT_INVALID", message: expect.stringContaining(message) });
});
