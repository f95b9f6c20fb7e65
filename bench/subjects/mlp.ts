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
  learningRate: 0.0003,
  repeats: 20,
  rounds: 21,
};
