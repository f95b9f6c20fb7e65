import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { linear } from "../models/linear.ts";
import { tensor, toNumbers, type Tensors } from "../tensor.ts";
import type { TrainingEvent } from "./event.ts";
import type { FitOptions } from "./fit-options.ts";
import { evaluateModel } from "./evaluate-model.ts";
import { fit } from "./fit.ts";
import { meanSquaredError, softmaxCrossEntropy } from "./losses/index.ts";
import { accuracy, mae, onOutput } from "./metrics/index.ts";
import { adam, sgd } from "./optimizers/index.ts";
import { batchesOf, shuffledBatchesOf } from "./testing/batches.ts";
import { plane } from "./testing/synthetic.ts";
import { rowsOf, twoHeads, twoLabels } from "./testing/two-heads.ts";

const backend = openReference();
const losses = [
  { loss: softmaxCrossEntropy(), output: "species" },
  { loss: meanSquaredError(), output: "weight", weight: 0.25 },
];

function plan(): FitOptions {
  return {
    model: twoHeads(),
    backend,
    loss: losses,
    optimizer: adam({ learningRate: 0.03 }),
    metrics: [onOutput(accuracy(), { output: "species" }), onOutput(mae(), { output: "weight" })],
    train: shuffledBatchesOf(twoLabels(160, 1), 32),
    validation: batchesOf(twoLabels(70, 2), 32), // the last batch has 6 rows
    epochs: 25,
  };
}

test("one body learns two tasks, and each loss and metric is followed by its output's name", async () => {
  const steps: TrainingEvent[] = [];
  const { history } = await fit({ ...plan(), onEvent: (event) => void (event.kind === "step" && steps.push(event)) });
  const last = history.at(-1)!;
  expect(Object.keys(last.losses!)).toEqual(["species", "weight"]);
  expect(last.loss).toBeCloseTo(last.losses!["species"]! + 0.25 * last.losses!["weight"]!, 5);
  expect(Object.keys(last.validation!)).toEqual(["loss", "loss/species", "loss/weight", "species/accuracy", "weight/mae"]);
  expect(last.validation!["species/accuracy"]).toBeGreaterThan(0.9);
  expect(last.validation!["weight/mae"]).toBeLessThan(0.2);
  expect(steps[0]).toMatchObject({ losses: { species: expect.any(Number), weight: expect.any(Number) } });
});

test("numbers of a validation with a smaller last batch are those of one batch of all rows", async () => {
  const still = { ...plan(), optimizer: sgd({ learningRate: 0 }), epochs: 1 };
  const [parts, whole] = [await fit(still), await fit({ ...still, validation: batchesOf(twoLabels(70, 2), 70) })];
  for (const [name, value] of Object.entries(whole.history[0]!.validation!)) expect(parts.history[0]!.validation![name]).toBeCloseTo(value, 5);
});

test("a model is measured by itself as fit measures it on validation rows", async () => {
  const { model, history } = await fit({ ...plan(), epochs: 2, weights: "last" });
  const { loss, metrics } = plan();
  const data = batchesOf(twoLabels(70, 2), 32);
  expect(await evaluateModel({ model, backend, loss, metrics: metrics!, data })).toEqual(history[1]!.validation);
  await expect(evaluateModel({ model, backend, loss, metrics: [accuracy()], data })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
  const none = batchesOf(rowsOf(twoLabels(4, 2), []), 32);
  await expect(evaluateModel({ model, backend, loss, data: none })).rejects.toThrow("the evaluation data has no rows");
});

test("two losses of one output have names of their own", async () => {
  const twice = [...losses, { loss: { ...meanSquaredError(), name: "again" }, output: "weight", labels: "labels/weight" }];
  const { history } = await fit({ ...plan(), loss: twice, epochs: 1 });
  expect(Object.keys(history[0]!.losses!)).toEqual(["species", "weight/meanSquaredError", "weight/again"]);
  await expect(fit({ ...plan(), loss: [losses[1]!, losses[1]!] })).rejects.toThrow(/meanSquaredError is there twice for the output "weight"/);
});

test("an output, a metric or a monitored number that is not there is refused with those that are", async () => {
  const code = (change: Partial<FitOptions>): Promise<string> =>
    fit({ ...plan(), ...change }).then(
      () => "accepted",
      (error: Error) => error.message,
    );
  expect(await code({ loss: [] })).toContain("the list of losses is empty");
  expect(await code({ loss: [{ loss: meanSquaredError(), output: "wieght" }] })).toContain('reads the output "wieght"');
  expect(await code({ metrics: [accuracy()] })).toContain('the metric "accuracy" reads the output "logits"; there are "species", "weight"');
  expect(await code({ monitor: { metric: "validation.loss/wight" } })).toContain('did you mean "validation.loss/weight"');
  expect(await code({ monitor: { metric: "validation.species/accuracy" } })).toContain("lower or higher");
  expect(await code({ loss: [{ ...losses[0]!, weight: Number.NaN }] })).toContain("must be a number, not NaN");
});

test("weights of 0, 1 and 2 are rows left out, kept and doubled: gradients, losses and validation alike", async () => {
  const data = plane({ rows: 12, coefficients: [1, -1, 2], noise: 0.5 });
  const counts = [0, 1, 2, 1, 0, 0, 2, 1, 1, 2, 0, 1];
  const weighted: Tensors = { ...data, weights: tensor("float32", [12], counts) };
  const repeated = rowsOf(
    data,
    counts.flatMap((count, row) => Array.from({ length: count }, () => row)),
  );
  const common = {
    model: linear({ width: 3, head: { task: "regression" } }),
    backend,
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.05 }),
    epochs: 4,
  } as const;
  const [some, all] = [
    await fit({ ...common, sampleWeights: true, train: batchesOf(weighted, 12), validation: batchesOf(weighted, 5) }),
    await fit({ ...common, train: batchesOf(repeated, 11), validation: batchesOf(repeated, 11) }),
  ];
  some.history.forEach((record, i) => {
    expect(record.loss).toBeCloseTo(all.history[i]!.loss, 5);
    for (const [name, value] of Object.entries(all.history[i]!.validation!)) expect(record.validation![name]).toBeCloseTo(value, 5);
  });
  const found = toNumbers(some.model.state["dense/kernel"]!);
  toNumbers(all.model.state["dense/kernel"]!).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
});

test("a batch that weighs nothing is passed over, and weights below 0 are refused with their row", async () => {
  const data = plane({ rows: 4, coefficients: [1, 2, 3] });
  const run = (weights: readonly number[]): ReturnType<typeof fit> =>
    fit({
      model: linear({ width: 3, head: { task: "regression" } }),
      backend,
      loss: meanSquaredError(),
      optimizer: sgd(),
      sampleWeights: true,
      train: batchesOf({ ...data, weights: tensor("float32", [4], weights) }, 2),
      validation: batchesOf({ ...data, weights: tensor("float32", [4], weights) }, 2),
      epochs: 1,
    });
  const { steps, history } = await run([0, 0, 1, 1]);
  expect(steps).toBe(1);
  expect(history[0]).toMatchObject({ rows: 2, loss: expect.any(Number) });
  await expect(run([1, 1, 1, -1])).rejects.toMatchObject({
    code: "TENSOR_INVALID",
    message: expect.stringContaining("the weight of row 1 in batch 2 of epoch 1 is -1"),
  });
  await expect(run([0, 0, 0, 0])).rejects.toMatchObject({ code: "DATA_EMPTY" });
});
