import { dense, sequential } from "../../core/index.ts";
import { classes, type Subject } from "./subject.ts";

/** Three dense layers. */
export const mlp: Subject = {
  name: "MLP 784-512-256-10 b128",
  batch: 128,
  row: [784],
  build: () =>
    sequential({
      input: { name: "x", shape: [784] },
      layers: [dense({ units: 512, activation: "relu" }), dense({ units: 256, activation: "relu" }), dense({ units: classes })],
      output: "logits",
    }),
  pytorch: "mlp",
  tfjs: {
    build: ({ layers }) => {
      const model = layers.sequential();
      model.add(layers.layers.dense({ units: 512, activation: "relu", inputShape: [784] }));
      model.add(layers.layers.dense({ units: 256, activation: "relu" }));
      model.add(layers.layers.dense({ units: classes }));
      return model;
    },
  },
  jax({ numpy, nn }, parameters, x) {
    const layers = [0, 2, 4].map((i) => [parameters[i], parameters[i + 1]] as const);
    return layers.reduce((value, [kernel, bias], i) => {
      if (kernel === undefined || bias === undefined) throw new Error("three layers have six parameters");
      const sums = numpy.dot(value, kernel).add(bias);
      return i < layers.length - 1 ? nn.relu(sums) : sums;
    }, x);
  },
  learningRate: 0.0003,
  repeats: 20,
  rounds: 21,
};
