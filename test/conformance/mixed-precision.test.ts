import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import {
  adam,
  convNet,
  encodeTarget,
  fit,
  fitFeatures,
  fitTarget,
  softmaxCrossEntropy,
  splitColumns,
  tensorBatches,
  transformFeatures,
  type Backend,
  type Columns,
  type FitResult,
  type Precision,
  type Tensors,
} from "../../core/index.ts";
import { digitFeatures, loadDigits } from "../../examples/load-digits.ts";

// 719 handwritten digits of 8x8 to learn from, 539 to judge by (UCI's optical digits).
let train: Tensors;
let validation: Tensors;
const backends: Record<string, Backend> = { reference: openReference() };
beforeAll(async () => {
  backends["onnxruntime"] = await openOnnxRuntime();
  const { table } = await loadDigits();
  const parts = splitColumns(table, { seed: 1, fractions: { train: 0.4, validation: 0.3, test: 0.3 } });
  const features = await fitFeatures(digitFeatures, [parts.train]);
  const target = fitTarget(table, "digit", { task: "classification" });
  const feeds = (rows: Columns): Tensors => ({ ...transformFeatures(features, rows), labels: encodeTarget(target, rows) });
  [train, validation] = [feeds(parts.train), feeds(parts.validation)];
});
afterAll(() => backends["onnxruntime"]?.dispose());

async function trained(backend: Backend, precision: Precision): Promise<FitResult> {
  return fit({
    model: convNet({ shape: [1, 8, 8], head: { task: "classification", classes: 10 }, filters: [8, 16], units: 32, seed: 3 }),
    backend,
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.005 }),
    train: (pass) => tensorBatches(train, { batchSize: 32, shuffle: pass }),
    validation: tensorBatches(validation, { batchSize: 256 }),
    epochs: 5,
    seed: 3,
    weights: "last",
    precision,
  });
}

describe.each(["reference", "onnxruntime"])("mixed precision on %s", (name) => {
  test("a convolutional network learns digits within 1.5 points of float32's accuracy", async () => {
    const backend = backends[name] ?? expect.fail("it was opened");
    const [full, mixed] = [await trained(backend, "float32"), await trained(backend, "mixed_float16")];
    const accuracies = [full, mixed].map(({ history }) => history.at(-1)?.validation?.["accuracy"] ?? 0);
    expect(Math.min(...accuracies)).toBeGreaterThan(0.93);
    expect(Math.abs(accuracies[0]! - accuracies[1]!)).toBeLessThan(0.015);
    expect(mixed.model.state).not.toEqual(full.model.state); // it does round
  });
});
