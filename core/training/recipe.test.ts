import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { tensorBatches } from "../data/tensor-batches.ts";
import { linear } from "../models/linear.ts";
import { mlp } from "../models/mlp.ts";
import { Random } from "../random.ts";
import { tensor, type Tensors } from "../tensor.ts";
import { fit } from "./fit.ts";
import { tableRecipe } from "./recipe.ts";

const backend = openReference();
afterAll(() => backend.dispose());
const head = { task: "classification", classes: 2 } as const;

/** The class is the sign of x0 * x1: nothing for a linear model. */
function signs(rows: number, seed: number): Tensors {
  const features = new Random(seed).normals(rows * 3);
  const labels = Int32Array.from({ length: rows }, (_, row) => (features[3 * row]! * features[3 * row + 1]! > 0 ? 1 : 0));
  return { features: tensor("float32", [rows, 3], features), labels: tensor("int32", [rows], labels) };
}

async function accuracyOf(model: "linear" | "network", rows: number): Promise<number> {
  const { batchSize, ...recipe } = tableRecipe({ head, rows, model });
  const start = model === "linear" ? linear({ width: 3, head }) : mlp({ width: 3, head, rows, seed: 1 });
  const data = signs(rows, 1);
  const { history, bestEpoch } = await fit({
    model: start,
    backend,
    ...recipe,
    train: (shuffle) => tensorBatches(data, { batchSize, shuffle }),
    validation: tensorBatches(signs(400, 2), { batchSize: 400 }),
  });
  return history[bestEpoch - 1]!.validation!["accuracy"]!;
}

test("a network learns from 300 rows, without a knob, what no linear model can", { timeout: 30_000 }, async () => {
  expect(await accuracyOf("linear", 300)).toBeLessThan(0.6);
  expect(await accuracyOf("network", 300)).toBeGreaterThan(0.93);
});

test("few rows get small batches and many epochs, many rows the opposite, and no size breaks it", () => {
  const sizes = [1, 20, 100, 1000, 10_000, 1e6, 1e8].map((rows) => tableRecipe({ head, rows, model: "network" }));
  const steps = sizes.map(({ batchSize }) => batchSize);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  expect(steps[0]).toBe(16);
  expect(steps.at(-1)).toBe(256);
  for (const { epochs, earlyStopping } of sizes) {
    expect(epochs).toBeGreaterThanOrEqual(20);
    expect(epochs).toBeLessThanOrEqual(200);
    expect(earlyStopping.patience).toBeLessThan(epochs);
  }
});
