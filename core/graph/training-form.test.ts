import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { freeze, isFrozen, unfreeze } from "../models/freeze.ts";
import type { Model } from "../models/model.ts";
import { tensor, toNumbers, scalar } from "../tensor.ts";
import { createTrainingGraph } from "../training/training-graph.ts";
import { meanSquaredError } from "../training/losses/index.ts";
import { sgd } from "../training/optimizers/index.ts";
import { randomFeeds } from "../training/random-feeds.ts";
import { GraphBuilder } from "./builder.ts";
import { graphFromJson } from "./from-json.ts";
import { hashGraph } from "./hash.ts";
import { graphToJson } from "./json.ts";
import { trainingForm } from "./training-form.ts";

const backend = openReference();
afterAll(() => backend.dispose());

/** y = dropout(x w), ratio 0.25. */
function dropoutModel(): Model {
  const builder = new GraphBuilder("dropout");
  const x = builder.input("x", "float32", ["batch", 3]);
  const product = builder.op("MatMul", [x, builder.state("w", "float32", [3, 1])]);
  builder.output("prediction", builder.op("Dropout", [product, builder.scalar(0.25, "float32")]));
  return { graph: builder.build(), state: { w: tensor("float32", [3, 1], [1, 2, 3]) }, config: {} };
}

test("dropout passes its input on when predicting, and in training keeps three quarters of it, scaled, by a fed mask", async () => {
  const model = dropoutModel();
  const x = tensor(
    "float32",
    [4000, 3],
    Array.from({ length: 12_000 }, () => 1),
  );
  const predicting = await backend.compile(model.graph, { state: model.state });
  expect(new Set(toNumbers((await predicting.run({ x }))["prediction"]!))).toEqual(new Set([6]));

  const form = trainingForm(model.graph);
  expect(form.inputs[1]).toEqual({
    name: "Dropout/random",
    dtype: "bool",
    shape: ["batch", 1],
    random: { distribution: "bernoulli", probability: 0.75 },
  });
  const training = await backend.compile(form, { state: model.state });
  const draw = (step: number): ReturnType<typeof randomFeeds> => randomFeeds(form, { seed: 7, step, batch: 4000 });
  const values = toNumbers((await training.run({ x, ...draw(1) }))["prediction"]!);
  expect(new Set(values)).toEqual(new Set([0, 8])); // 6 / 0.75
  expect(values.filter((value) => value > 0).length / 4000).toBeCloseTo(0.75, 1);
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test("a training graph's random inputs survive JSON and count in its hash", () => {
  const form = trainingForm(dropoutModel().graph);
  expect(graphFromJson(JSON.parse(JSON.stringify(graphToJson(form)))).inputs).toEqual(form.inputs);
  const other = { ...form, inputs: form.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })) };
  expect(hashGraph(other)).not.toBe(hashGraph(form));
  const json = graphToJson(form);
  const broken = { ...json, inputs: [{ ...json.inputs[1], random: { distribution: "bernoulli", probability: 2 } }] };
  expect(() => graphFromJson(broken)).toThrow("inputs[0].random.probability must be a number from 0 to 1, not 2");
});

test("a frozen parameter has no slot and no update, and stays as it is", async () => {
  const builder = new GraphBuilder("two");
  const x = builder.input("x", "float32", ["batch", 2]);
  const hidden = builder.op("MatMul", [x, builder.state("body/w", "float32", [2, 2])]);
  builder.output("prediction", builder.op("MatMul", [hidden, builder.state("head/w", "float32", [2, 1])]));
  const state = { "body/w": tensor("float32", [2, 2], [1, 0, 0, 1]), "head/w": tensor("float32", [2, 1], [1, 1]) };
  const model: Model = { graph: builder.build(), state, config: {} };
  const frozen = freeze(model, ["body/*"]);
  expect([isFrozen(frozen, "body/w"), isFrozen(frozen, "head/w"), isFrozen(unfreeze(frozen, ["*"]), "body/w")]).toEqual([true, false, false]);
  const graph = createTrainingGraph(frozen, { loss: meanSquaredError(), optimizer: sgd({ momentum: 0.9 }) });
  expect(graph.state.filter(({ role }) => role === "slot").map(({ name }) => name)).toEqual(["momentum/v/head/w"]);
  const executable = await backend.compile(graph, { state });
  const labels = tensor("float32", [1, 1], [5]);
  await executable.run({ x: tensor("float32", [1, 2], [1, 2]), labels, learning_rate: scalar(0.1), step: scalar(1, "int64") });
  const after = await executable.readState();
  expect(toNumbers(after["body/w"]!)).toEqual([1, 0, 0, 1]);
  // prediction 3, so d = 2 (3 - 5) x = [-4, -8]
  expect(toNumbers(after["head/w"]!).map((value) => Math.round(value * 1e5) / 1e5)).toEqual([1.4, 1.8]);
  expect(() => freeze(model, ["bodi/w"])).toThrow('no state of "two" matches "bodi/w"; did you mean "body/w"');
  expect(() => createTrainingGraph(freeze(model, ["*"]), { loss: meanSquaredError(), optimizer: sgd() })).toThrow('"two" parameters are all frozen');
});

test("row weights make the loss a weighted mean, a regulariser adds its penalty and a constraint bounds the update", async () => {
  const builder = new GraphBuilder("linear");
  builder.output("prediction", builder.op("MatMul", [builder.input("x", "float32", ["batch", 1]), builder.state("w", "float32", [1, 1])]));
  const state = { w: tensor("float32", [1, 1], [1]) };
  const model: Model = {
    graph: builder.build(),
    state,
    config: {},
    parameters: { w: { regularizer: { kind: "l2", l2: 0.5 }, constraint: { kind: "nonNegative" } } },
  };
  const graph = createTrainingGraph(model, { loss: meanSquaredError(), optimizer: sgd(), sampleWeights: true });
  const executable = await backend.compile(graph, { state });
  const outputs = await executable.run({
    x: tensor("float32", [2, 1], [1, 2]),
    labels: tensor("float32", [2, 1], [0, 0]),
    weights: tensor("float32", [2], [3, 1]),
    learning_rate: scalar(10),
    step: scalar(1, "int64"),
  });
  expect(toNumbers(outputs["loss"]!)[0]).toBeCloseTo((3 * 1 + 1 * 4) / 4 + 0.5, 6);
  expect(toNumbers((await executable.readState(["w"]))["w"]!)).toEqual([0]);
});
