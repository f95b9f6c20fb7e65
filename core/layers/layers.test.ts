import { afterAll, describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { simplify } from "../graph/simplify.ts";
import type { Model } from "../models/model.ts";
import { importOnnx } from "../formats/onnx-import/import-onnx.ts";
import { toOnnx } from "../formats/onnx.ts";
import { meanSquaredError } from "../training/losses/index.ts";
import { sgd } from "../training/optimizers/index.ts";
import { createTrainingGraph } from "../training/training-graph.ts";
import { scalar, tensor, toNumbers, type Tensor, type Tensors } from "../tensor.ts";
import {
  activation,
  add,
  averagePooling2D,
  concatenate,
  conv2D,
  dense,
  depthwiseConv2D,
  flatten,
  globalAveragePooling2D,
  maxPooling2D,
  Network,
  reshape,
  sequential,
  type Layer,
} from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());

async function run(model: Model, feeds: Tensors): Promise<Tensor> {
  const executable = await backend.compile(model.graph, { state: model.state });
  const outputs = await executable.run(feeds);
  await executable.dispose();
  return outputs["y"]!;
}

/** One layer applied to one example. */
function apply(layer: Layer, shape: readonly number[], values: readonly number[]): Promise<Tensor> {
  return run(sequential({ input: { name: "x", shape }, layers: [layer], output: "y" }), { x: tensor("float32", [1, ...shape], values) });
}

const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe("layers compute what Keras's do", () => {
  test("dense: activation(x kernel + bias)", async () => {
    const layer = dense({ units: 2, activation: "relu", kernelInitializer: () => Float32Array.of(1, -1, 2, -2), biasInitializer: { constant: 0.5 } });
    expect(toNumbers(await apply(layer, [2], [3, 4]))).toEqual([11.5, 0]); // 3*1 + 4*2 + 0.5; 3*-1 + 4*-2 + 0.5 < 0
  });

  test("conv2D: windows of the image times the kernel; same padding keeps the size", async () => {
    const ones = { filters: 1, kernelInitializer: "ones" } as const;
    expect(toNumbers(await apply(conv2D({ ...ones, kernelSize: 2 }), [1, 3, 3], nine))).toEqual([12, 16, 24, 28]);
    expect(toNumbers(await apply(conv2D({ ...ones, kernelSize: 3, padding: "same" }), [1, 3, 3], nine))).toEqual([
      12, 21, 16, 27, 45, 33, 24, 39, 28,
    ]);
    // An even kernel pads at the end: TensorFlow's rule.
    expect(toNumbers(await apply(conv2D({ ...ones, kernelSize: 2, padding: "same" }), [1, 3, 3], nine))).toEqual([12, 16, 9, 24, 28, 15, 15, 17, 9]);
    expect((await apply(conv2D({ ...ones, kernelSize: [3, 2], strides: [2, 1], padding: "same" }), [1, 3, 3], nine)).shape).toEqual([1, 1, 2, 3]);
    expect(toNumbers(await apply(conv2D({ ...ones, kernelSize: 2, dilationRate: 2 }), [1, 3, 3], nine))).toEqual([20]); // the corners
    const grouped = conv2D({ filters: 2, groups: 2, kernelSize: 1, kernelInitializer: () => Float32Array.of(10, 100), useBias: false });
    expect(toNumbers(await apply(grouped, [2, 1, 1], [1, 2]))).toEqual([10, 200]);
  });

  test("poolings: the largest, the mean over places inside the image, the mean of a channel", async () => {
    expect(toNumbers(await apply(maxPooling2D({ strides: 1 }), [1, 3, 3], nine))).toEqual([5, 6, 8, 9]);
    expect(toNumbers(await apply(averagePooling2D({ padding: "same" }), [1, 3, 3], nine))).toEqual([3, 4.5, 7.5, 9]);
    const mean = await apply(globalAveragePooling2D(), [2, 1, 2], [1, 3, 10, 20]);
    expect({ shape: mean.shape, values: toNumbers(mean) }).toEqual({ shape: [1, 2], values: [2, 15] });
  });

  test("flatten and reshape keep the elements' order", async () => {
    expect((await apply(flatten(), [2, 3], [1, 2, 3, 4, 5, 6])).shape).toEqual([1, 6]);
    const shaped = await apply(reshape({ targetShape: [3, -1] }), [6], [1, 2, 3, 4, 5, 6]);
    expect({ shape: shaped.shape, values: toNumbers(shaped) }).toEqual({ shape: [1, 3, 2], values: [1, 2, 3, 4, 5, 6] });
  });

  test("softmax is over the last dimension", async () => {
    const found = toNumbers(await apply(activation({ activation: "softmax" }), [2, 2], [0, Math.log(3), 5, 5]));
    [0.25, 0.75, 0.5, 0.5].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 6));
  });
});

describe("networks", () => {
  test("branches are added and concatenated", async () => {
    const network = new Network("branches");
    const x = network.input("x", [2]);
    const doubled = network.apply(add(), x, x);
    network.output("y", network.apply(concatenate(), x, doubled, network.apply(add(), x, doubled, doubled)));
    const y = await run(network.build(), { x: tensor("float32", [1, 2], [1, 10]) });
    expect(toNumbers(y)).toEqual([1, 10, 2, 20, 5, 50]);
  });

  test("a layer object that is applied twice shares its weights", async () => {
    const shared = dense({ units: 2, name: "tower" });
    const network = new Network("two-tower", { seed: 4 });
    const towers = ["a", "b"].map((name) => network.apply(shared, network.input(name, [3])));
    network.output("y", network.apply(concatenate(), towers[0]!, towers[1]!));
    const model = network.build();
    expect(Object.keys(model.state)).toEqual(["tower/kernel", "tower/bias"]);
    const x = tensor("float32", [1, 3], [1, 2, 3]);
    const [p, q, r, s] = toNumbers(await run(model, { a: x, b: x }));
    expect([p, q]).toEqual([r, s]);
  });

  test("layers of one kind are numbered, and a parameter's first values do not depend on other layers", () => {
    const plain = sequential({
      input: { name: "x", shape: [3] },
      layers: [dense({ units: 4, name: "first" }), dense({ units: 2 })],
      output: "y",
      seed: 9,
    });
    const deeper = sequential({
      input: { name: "x", shape: [3] },
      layers: [dense({ units: 4, name: "first" }), dense({ units: 4 }), dense({ units: 2 })],
      output: "y",
      seed: 9,
    });
    expect(deeper.graph.state.map(({ name }) => name)).toEqual([
      "first/kernel",
      "first/bias",
      "dense/kernel",
      "dense/bias",
      "dense_1/kernel",
      "dense_1/bias",
    ]);
    expect(deeper.state["first/kernel"]).toEqual(plain.state["first/kernel"]);
    expect(deeper.state["dense/kernel"]?.shape).toEqual([4, 4]);
  });

  test("a layer of one's own is a few lines", async () => {
    const scale = (): Layer => ({
      kind: "Scale",
      config: {},
      apply: ({ emit, parameter }, x) => emit.op("Mul", [x, parameter("scale", [x.shape[1] as number], { initializer: { constant: 3 } })]),
    });
    const model = sequential({ input: { name: "x", shape: [2] }, layers: [scale()], output: "y" });
    expect(Object.keys(model.state)).toEqual(["scale/scale"]);
    const x = tensor("float32", [2, 2], [1, 2, 3, 4]);
    expect(toNumbers(await run(model, { x }))).toEqual([3, 6, 9, 12]);
    // It trains: the gradient of mean((s x)^2) by s is 2 s mean(x^2) over each column's half of the places.
    const graph = createTrainingGraph(model, { loss: meanSquaredError({ output: "y" }), optimizer: sgd() });
    const training = await backend.compile(graph, { state: model.state });
    const labels = tensor("float32", [2, 2], [0, 0, 0, 0]);
    await training.run({ x, labels, learning_rate: scalar(0.01), step: scalar(1, "int64") });
    const state = await training.readState(["scale/scale"]);
    await training.dispose();
    toNumbers(state["scale/scale"]!).forEach((value, i) => expect(value).toBeCloseTo(3 - (0.01 * 2 * 3 * [1 + 9, 4 + 16][i]!) / 4, 5));
    // And it is exported as standard operators.
    const exported = importOnnx(toOnnx(model.graph, { state }));
    expect(toNumbers(await run({ ...model, ...exported }, { x }))).toEqual(toNumbers(await run({ ...model, state }, { x })));
  });
});

describe("refusals name the layer, what it got and the mend", () => {
  const build =
    (layer: Layer, shape: readonly number[]): (() => Model) =>
    () =>
      sequential({ input: { name: "x", shape }, layers: [layer], output: "y" });

  test.each([
    [build(dense({ units: 2 }), []), "dense (of [batch]): a dense layer takes [batch, ..., inputs]; put reshape({ targetShape: [1] }) before it"],
    [build(conv2D({ filters: 1, kernelSize: 3 }), [64]), "conv2d (of [batch, 64]): takes images [batch, channels, height, width]"],
    [build(conv2D({ filters: 1, kernelSize: 9 }), [1, 8, 8]), "a window of 9x9 does not fit into an image of 8x8"],
    [build(conv2D({ filters: 4, kernelSize: 1, groups: 2 }), [3, 8, 8]), "3 channels do not divide into 2 groups"],
    [build(maxPooling2D({ poolSize: 3 }), [1, 2, 2]), "a window of 3x3 does not fit into an image of 2x2"],
    [build(reshape({ targetShape: [5, -1] }), [6]), "6 elements a row cannot take the shape [5, -1]"],
    [build(add(), [2]), "add (of [batch, 2]): takes two or more inputs"],
  ])("of an input (%#)", (make, message) => {
    expect(make).toThrow(message);
  });

  test.each([
    [() => dense({ units: 0 }), "dense: units must be a whole number from 1, not 0"],
    [() => dense({ units: 2.5 }), "dense: units must be a whole number from 1, not 2.5"],
    [() => dense({ units: 1, activation: "rellu" as "relu" }), 'dense: no activation "rellu"; did you mean "relu"'],
    [() => conv2D({ filters: 3, groups: 2, kernelSize: 1 }), "conv2D: 3 filters do not divide into 2 groups"],
    [() => conv2D({ filters: 1, kernelSize: [3, 0] }), "conv2D: kernelSize must be a whole number from 1, not 0"],
  ])("of an argument (%#)", (make, message) => {
    expect(make).toThrow(message);
  });

  test("two inputs into a layer that takes one", () => {
    const network = new Network("n");
    const x = network.input("x", [2]);
    expect(() => network.apply(dense({ units: 1 }), x, x)).toThrow("dense: a Dense takes one input, not 2; merge them first with add or concatenate");
  });

  test("two layers of one name, and shared weights that do not fit", () => {
    const network = new Network("n");
    const x = network.input("x", [2]);
    network.apply(dense({ units: 1, name: "head" }), x);
    expect(() => network.apply(dense({ units: 1, name: "head" }), x)).toThrow('two layers are named "head"');
    const shared = dense({ units: 1, name: "shared" });
    network.apply(shared, x);
    expect(() => network.apply(shared, network.input("wide", [3]))).toThrow(
      '"shared/kernel" has shape [2, 1] from the layer\'s first use, but this use needs [3, 1]',
    );
  });
});

test("turns between layers of channels_last cancel: one before the first and one after the last are left", () => {
  const dataFormat = "channels_last";
  const model = sequential({
    input: { name: "x", shape: [8, 8, 3] },
    layers: [
      conv2D({ filters: 4, kernelSize: 3, activation: "relu", dataFormat }),
      maxPooling2D({ dataFormat }),
      depthwiseConv2D({ kernelSize: 2, activation: "gelu", dataFormat }),
      averagePooling2D({ dataFormat }),
    ],
    output: "y",
  });
  expect(model.graph.nodes.filter(({ operator }) => operator === "Transpose")).toHaveLength(8);
  expect(simplify(model.graph).nodes.filter(({ operator }) => operator === "Transpose")).toHaveLength(2);
});
