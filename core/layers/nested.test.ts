import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { freeze } from "../models/freeze.ts";
import type { Model } from "../models/model.ts";
import { createTrainingGraph } from "../training/training-graph.ts";
import { meanSquaredError } from "../training/losses/index.ts";
import { l2 } from "../training/regularizer.ts";
import { sgd } from "../training/optimizers/index.ts";
import { tensor, toNumbers, type Tensors } from "../tensor.ts";
import { batchNormalization, concatenate, dense, nested, Network, sequential } from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());

async function run(model: Model, feeds: Tensors): Promise<Tensors> {
  const executable = await backend.compile(model.graph, { state: model.state });
  const outputs = await executable.run(feeds);
  await executable.dispose();
  return outputs;
}

const x = tensor("float32", [2, 3], [1, 2, 3, -1, 0.5, 2]);
const body = (): Model =>
  sequential({
    name: "body",
    input: { name: "features", shape: [3] },
    layers: [dense({ units: 4, activation: "tanh", kernelRegularizer: l2(0.1) }), batchNormalization()],
    output: "y",
    seed: 3,
  });

test("a model as a layer computes what the model does, with its first values under the layer's name", async () => {
  const inner = body();
  const network = new Network("outer");
  network.output("y", network.apply(nested(inner), network.input("x", [3])));
  const model = network.build();
  expect(Object.keys(model.state)).toEqual(Object.keys(inner.state).map((name) => `body/${name}`));
  expect(model.state["body/dense/kernel"]).toEqual(inner.state["dense/kernel"]);
  expect(model.parameters).toEqual({ "body/dense/kernel": inner.parameters?.["dense/kernel"] });
  expect((await run(model, { x }))["y"]).toEqual((await run(inner, { features: x }))["y"]);
});

test("applied twice it shares its state, and several outputs come in the order asked for", async () => {
  const two = new Network("two");
  const hidden = two.apply(dense({ units: 2, kernelInitializer: "ones" }), two.input("a", [2]));
  two.output("first", hidden);
  two.output("second", two.apply(dense({ units: 1, kernelInitializer: "ones", name: "sum" }), hidden));
  const layer = nested(two.build(), { outputs: ["second", "first"] });
  const network = new Network("outer");
  const [p, q] = [network.input("p", [2]), network.input("q", [2])];
  const [sumOfP, hiddenOfP] = network.apply(layer, p);
  const [sumOfQ] = network.apply(layer, q);
  network.output("y", network.apply(concatenate(), sumOfP!, hiddenOfP!, sumOfQ!));
  const model = network.build();
  expect(model.graph.state).toHaveLength(4);
  const found = await run(model, { p: tensor("float32", [1, 2], [1, 2]), q: tensor("float32", [1, 2], [10, 20]) });
  expect(toNumbers(found["y"]!)).toEqual([6, 3, 3, 60]);
});

test("a frozen layer, a frozen model inside and trainable: false leave their state alone in training, and their statistics as they are", async () => {
  const inner = body();
  const outers = [nested(freeze(inner, ["*"])), nested(inner, { trainable: false })];
  for (const layer of outers) {
    const network = new Network("outer", { seed: 1 });
    const features = network.apply(layer, network.input("x", [3]));
    network.output("prediction", network.apply(dense({ units: 1 }), network.apply(dense({ units: 2, trainable: false, name: "fixed" }), features)));
    const model = network.build();
    const graph = createTrainingGraph(model, { loss: meanSquaredError(), optimizer: sgd() });
    expect(Object.keys(graph.updates).filter((name) => name in model.state)).toEqual(["dense/kernel", "dense/bias"]);
    expect(graph.nodes.some(({ operator, attributes }) => operator === "BatchNormalization" && attributes["training_mode"] === 1)).toBe(false);
  }
});

test("inputs that are not the model's, and outputs that it has not, are refused", () => {
  const network = new Network("outer");
  expect(() => network.apply(nested(body()), network.input("x", [4]))).toThrow('body (of [batch, 4]): takes "features" float32 [batch, 3]');
  expect(() => nested(body(), { outputs: ["z"] })).toThrow('nested: "body" has no output "z"; choose from y');
});
