import { expect, test } from "vitest";
import { freeze } from "../models/freeze.ts";
import { add, batchNormalization, conv2D, dense, flatten, maxPooling2D, Network, sequential, summarize, summary } from "./index.ts";

test("a convolutional network: shapes, parameters and operations as counted by hand, totals", () => {
  const model = sequential({
    name: "small",
    input: { name: "image", shape: [1, 8, 8] },
    layers: [conv2D({ filters: 4, kernelSize: 3, padding: "same" }), batchNormalization(), maxPooling2D(), flatten(), dense({ units: 10 })],
    output: "logits",
  });
  const found = summarize(model);
  expect(found.rows.map(({ name, shapes, parameters, flops }) => [name, shapes.join(), parameters, flops])).toEqual([
    ["image", "[batch, 1, 8, 8]", 0, 0],
    ["conv2d", "[batch, 4, 8, 8]", 4 * 9 + 4, 2 * 4 * 64 * 9], // two for each product of 4 x 8 x 8 outputs with 9 weights
    ["batch_normalization", "[batch, 4, 8, 8]", 16, 256],
    ["max_pooling2d", "[batch, 4, 4, 4]", 0, 64 * 4],
    ["flatten", "[batch, 64]", 0, 0],
    ["dense", "[batch, 10]", 650, 2 * 64 * 10],
  ]);
  expect(found.trainable).toBe(40 + 8 + 650);
  expect(found.nonTrainable).toBe(8); // the running mean and variance
  expect(found.parameterBytes).toBe(4 * 706);
  expect(found.activationBytesPerRow).toBe(4 * (256 + 256 + 64 + 64 + 10));
  expect(summarize(freeze(model, ["conv2d/*"])).nonTrainable).toBe(48);
  expect(summary(model)).toBe(`Model: "small"
----------------------------------------------------------------------------------------------
Layer (type)                              Output shape      Params  FLOPs  Connected to
----------------------------------------------------------------------------------------------
image (Input)                             [batch, 1, 8, 8]       0      0
conv2d (Conv2D)                           [batch, 4, 8, 8]      40  4,608  image
batch_normalization (BatchNormalization)  [batch, 4, 8, 8]      16    256  conv2d
max_pooling2d (MaxPooling2D)              [batch, 4, 4, 4]       0    256  batch_normalization
flatten (Flatten)                         [batch, 64]            0      0  max_pooling2d
dense (Dense)                             [batch, 10]          650  1,280  flatten
----------------------------------------------------------------------------------------------
Trainable params: 698
Non-trainable params: 8
Memory: 2.8 kB of parameters, 2.6 kB of activations a row
FLOPs: 6,400 a row`);
});

test("a shared layer counts once, and branches say what they join", () => {
  const network = new Network("shared");
  const [a, b] = [network.input("a", [3]), network.input("b", [3])];
  const tower = dense({ units: 2, name: "tower" });
  network.output("y", network.apply(add(), network.apply(tower, a), network.apply(tower, b)));
  const { rows, trainable } = summarize(network.build());
  expect(rows.map(({ name, parameters }) => [name, parameters])).toEqual([
    ["a", 0],
    ["b", 0],
    ["tower", 8],
    ["tower", 0],
    ["add", 0],
  ]);
  expect(rows.at(-1)?.connectedTo).toEqual(["tower"]);
  expect(trainable).toBe(8);
});

test("a graph that was not made of layers is listed by its nodes", () => {
  const { graph, state } = sequential({ input: { name: "x", shape: [3] }, layers: [dense({ units: 2, activation: "relu" })], output: "y" });
  const { rows, trainable } = summarize({ graph, state, config: {} });
  expect(rows.map(({ kind, parameters }) => [kind, parameters])).toEqual([
    ["Input", 0],
    ["Gemm", 8],
    ["Relu", 0],
  ]);
  expect(trainable).toBe(8);
});
