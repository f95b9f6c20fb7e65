import { expect, test } from "vitest";
import {
  adam,
  bindBatch,
  createAccumulationGraph,
  createTrainingGraph,
  createUpdateGraph,
  GraphBuilder,
  mlp,
  scalar,
  softmaxCrossEntropy,
  tensor,
  toNumbers,
  type Graph,
  type Tensor,
} from "../../core/index.ts";
import { openReference } from "../reference/index.ts";
import { openOnnxRuntime } from "./backend.ts";
import { planGraph } from "./plan.ts";

/** One Adam step on w with the gradient that is fed; `reads` says who else wants the new w. */
function adamGraph({ reads }: { readonly reads: "nobody" | "an output" | "a node" }): Graph {
  const b = new GraphBuilder(`adam read by ${reads}`);
  const [w, v, h] = ["w", "v", "h"].map((name) => b.state(name, "float32", [3])) as [
    ReturnType<typeof b.state>,
    ReturnType<typeof b.state>,
    ReturnType<typeof b.state>,
  ];
  const g = b.op("Add", [b.input("g", "float32", [3]), b.op("Mul", [w, b.scalar(0.1, "float32")])]);
  const [next, nextV, nextH] = b.ops("Adam", [b.input("learning_rate", "float32", []), b.input("step", "int64", []), w, g, v, h], 3, {
    norm_coefficient: 0.01,
  });
  if (next === undefined || nextV === undefined || nextH === undefined) throw new Error("three outputs were asked for");
  b.update("w", reads === "a node" ? b.op("Mul", [next, b.scalar(0.99, "float32")]) : next);
  b.update("v", nextV);
  b.update("h", nextH);
  if (reads === "an output") b.output("next", next);
  b.output("g_used", g);
  return b.build();
}

test("an optimizer whose results go only into its own state leaves the model", () => {
  const plan = planGraph(bindBatch(adamGraph({ reads: "nobody" }), 1));
  expect(plan.optimizers.map(({ targets }) => targets.map(({ parameter, slots }) => [parameter, ...slots]))).toEqual([[["w", "v", "h"]]]);
  expect(plan.updates).toEqual({});
  expect(plan.model?.nodes.map(({ operator }) => operator).toSorted()).toEqual(["Add", "Mul"]);
});

test("an optimizer whose result is read elsewhere is computed in the model", () => {
  for (const reads of ["an output", "a node"] as const) {
    const plan = planGraph(bindBatch(adamGraph({ reads }), 1));
    expect(plan.optimizers).toEqual([]);
    expect(Object.keys(plan.updates)).toEqual(["w", "v", "h"]);
  }
});

test("fused or in the model, ten steps of Adam end where the reference backend ends, to 1e-6", async () => {
  const [tested, reference] = [await openOnnxRuntime({ thread: "inline", threads: 1 }), openReference()];
  for (const reads of ["nobody", "an output", "a node"] as const) {
    const graph = adamGraph({ reads });
    const state = { w: tensor("float32", [3], [1, -2, 0.5]) };
    const [a, b] = [await tested.compile(graph, { state }), await reference.compile(graph, { state })];
    for (let step = 1; step <= 10; step += 1) {
      const feeds = { g: tensor("float32", [3], [0.3, -0.2 * step, 0]), learning_rate: scalar(0.01), step: tensor("int64", [], [step]) };
      await Promise.all([a.run(feeds), b.run(feeds)]);
    }
    const [given, expected] = [await a.readState(), await b.readState()];
    for (const name of ["w", "v", "h"]) {
      const wanted = toNumbers(expected[name] as Tensor);
      toNumbers(given[name] as Tensor).forEach((value, i) => expect(Math.abs(value - (wanted[i] ?? Number.NaN))).toBeLessThan(1e-6));
    }
  }
  await tested.dispose();
  await reference.dispose();
});

test("accumulated gradients cost a step no graph nodes: their means are a fused loop, and the update is nothing else", () => {
  const model = mlp({ width: 4, head: { task: "classification", classes: 3 }, hidden: [8] });
  const options = { loss: softmaxCrossEntropy(), optimizer: adam(), modelOutputs: false };
  const step = planGraph(bindBatch(createTrainingGraph(model, options), 8));
  const batch = planGraph(bindBatch(createAccumulationGraph(model, options), 8));
  expect(batch.optimizers.map(({ optimizer }) => optimizer.operator)).toEqual(["MovingAverage"]);
  expect(batch.updates).toEqual({});
  expect(batch.model?.nodes.length).toBe(step.model?.nodes.length);
  const update = planGraph(createUpdateGraph(model, options));
  expect(update.model).toBeUndefined();
  expect(update.optimizers.map(({ optimizer }) => optimizer.operator)).toEqual(["Adam"]);
});

test("in mixed precision the optimizer is still a fused loop, which runs where the gradients are finite", async () => {
  const model = mlp({ width: 4, head: { task: "classification", classes: 3 }, hidden: [8], seed: 3 });
  const options = { loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01, ema: 0.9 }), modelOutputs: false };
  const graph = createTrainingGraph(model, { ...options, precision: "mixed_float16", lossScaling: { initialScale: 2 ** 20 } });
  const plan = planGraph(bindBatch(graph, 6));
  expect(plan.optimizers.map(({ optimizer, condition }) => [optimizer.operator, condition?.kind])).toEqual([
    ["MovingAverage", "computed"],
    ["Adam", "computed"],
  ]);
  expect(Object.keys(plan.updates)).toEqual(["loss_scale/scale", "loss_scale/good_steps", "loss_scale/skipped"]);
  const [tested, reference] = [await openOnnxRuntime({ thread: "inline", threads: 1 }), openReference()];
  const [a, b] = [await tested.compile(graph, { state: model.state }), await reference.compile(graph, { state: model.state })];
  const features = tensor(
    "float32",
    [6, 4],
    Array.from({ length: 24 }, (_, i) => Math.sin(i)),
  );
  for (let step = 1; step <= 12; step += 1) {
    const feeds = { features, labels: tensor("int32", [6], [0, 1, 2, 0, 1, 2]), learning_rate: scalar(0.01), step: scalar(step, "int64") };
    await Promise.all([a.run(feeds), b.run(feeds)]);
  }
  const [given, expected] = [await a.readState(), await b.readState()];
  expect(given["loss_scale/skipped"]).toEqual(expected["loss_scale/skipped"]);
  expect(Number(expected["loss_scale/skipped"]?.data[0])).toBeGreaterThan(2); // 2^20 is too large at first
  expect(Number(expected["loss_scale/good_steps"]?.data[0])).toBeGreaterThan(2);
  for (const [name, value] of Object.entries(expected)) {
    const numbers = toNumbers(given[name] as Tensor);
    toNumbers(value).forEach((wanted, i) => expect(Math.abs((numbers[i] ?? Number.NaN) - wanted)).toBeLessThan(2e-3 * Math.max(1, Math.abs(wanted))));
  }
  await tested.dispose();
  await reference.dispose();
});
