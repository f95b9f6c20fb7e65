import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { tensorBatches } from "../data/tensor-batches.ts";
import { fromKerasConfig, withKerasWeights } from "../layers/keras/index.ts";
import type { Packed } from "../layers/testing/golden-layers.ts";
import type { Model } from "../models/model.ts";
import { scalar, tensor, toNumbers, type DType, type Tensor, type Tensors } from "../tensor.ts";
import { evaluateModel } from "./evaluate-model.ts";
import { binaryCrossentropy, categoricalCrossentropy, meanAbsoluteError, meanSquaredError, type Loss } from "./losses/index.ts";
import { adam, adamax, adamW, sgd, type OptimizerOptions } from "./optimizers/index.ts";
import { createTrainingGraph } from "./training-graph.ts";

// Whole training runs of Keras 3 in float64 (test/golden/make-training.py). Ours are float32.

const losses = { binaryCrossentropy, categoricalCrossentropy, meanAbsoluteError, meanSquaredError };
const optimizers = { adam, adamax, adamW, sgd };
type Weights = Readonly<Record<string, readonly Packed[]>>;
type Batch = Readonly<Record<"x" | "labels", Packed>>;

interface GoldenRun {
  readonly name: string;
  readonly model: unknown;
  readonly loss: keyof typeof losses;
  readonly optimizer: keyof typeof optimizers;
  readonly options: OptimizerOptions & { readonly learningRate: number };
  readonly globalClipNorm?: number;
  readonly before: Weights;
  readonly batches: readonly Batch[];
  readonly losses: readonly number[];
  readonly after: Weights;
  /** What the trained model is evaluated on, in batches of 4, 4 and 2 rows. */
  readonly rows: Batch;
  readonly evaluation: number;
}

const runs = JSON.parse(await readFile(new URL("../../test/golden/training.json", import.meta.url), "utf8")) as readonly GoldenRun[];
const backend = openReference();
afterAll(() => backend.dispose());

test.for(runs.map((run) => [run.name, run] as const))("%s: losses, weights and evaluation are Keras's", async ([, run]) => {
  const model = withKerasWeights(fromKerasConfig(run.model), weightsOf(run.before));
  const loss: Loss = losses[run.loss]({ output: Object.keys(model.graph.outputs)[0]! });
  const options = { loss, optimizer: optimizers[run.optimizer](run.options), ...(run.globalClipNorm && { globalClipNorm: run.globalClipNorm }) };
  const executable = await backend.compile(createTrainingGraph(model, options), { state: model.state });
  for (const [i, batch] of run.batches.entries()) {
    const rates = { learning_rate: scalar(run.options.learningRate), step: scalar(i + 1, "int64") };
    const { loss: found } = await executable.run({ ...feedsOf(batch), ...rates });
    expect(toNumbers(found!)[0], `loss of step ${i + 1}`).toBeCloseTo(run.losses[i]!, 4);
  }
  const state = await executable.readState(Object.keys(model.state));
  await executable.dispose();
  const expected = withKerasWeights(model, weightsOf(run.after)).state;
  expect(Object.keys(model.state).filter((name) => !(distance(state[name]!, expected[name]!) < 1e-4))).toEqual([]);
  const trained: Model = { ...model, state: expected };
  const evaluated = await evaluateModel({ model: trained, backend, loss, metrics: [], data: tensorBatches(feedsOf(run.rows), { batchSize: 4 }) });
  expect(evaluated["loss"]).toBeCloseTo(run.evaluation, 5);
});

function unpack({ dtype, shape, data }: Packed): Tensor {
  return tensor((dtype.startsWith("float") ? "float32" : dtype) as DType, shape, data); // the script writes the types that there are
}

function feedsOf({ x, labels }: Batch): Tensors {
  return { x: unpack(x), labels: unpack(labels) };
}

function weightsOf(all: Weights): Readonly<Record<string, readonly Tensor[]>> {
  return Object.fromEntries(Object.entries(all).map(([name, list]) => [name, list.map(unpack)]));
}

function distance(a: Tensor, b: Tensor): number {
  const expected = toNumbers(b);
  return Math.max(...toNumbers(a).map((value, i) => Math.abs(value - expected[i]!)));
}
