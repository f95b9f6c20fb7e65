import { conv2D, dense, flatten, maxPooling2D, sequential, type Model } from "../../core/index.ts";
import { classes, type Subject } from "./subject.ts";

/** LeNet-5 with ReLU and maximum pooling. */
export const lenet: Subject = {
  name: "LeNet b64",
  batch: 64,
  row: [1, 28, 28],
  build: () => lenetModel(),
  pytorch: "lenet",
  tfjs: {
    build: ({ layers }) => {
      const model = layers.sequential();
      model.add(layers.layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", activation: "relu", inputShape: [28, 28, 1] }));
      model.add(layers.layers.maxPooling2d({ poolSize: 2 }));
      model.add(layers.layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }));
      model.add(layers.layers.maxPooling2d({ poolSize: 2 }));
      model.add(layers.layers.flatten({}));
      model.add(layers.layers.dense({ units: 120, activation: "relu" }));
      model.add(layers.layers.dense({ units: 84, activation: "relu" }));
      model.add(layers.layers.dense({ units: classes }));
      return model;
    },
    flattened: { parameter: "dense/kernel", channels: 16, pixels: 25 },
  },
  learningRate: 0.0003,
  repeats: 10,
  rounds: 21,
};

/** LeNet-5 with ReLU and maximum pooling, over `x` [batch, 1, 28, 28]. */
export function lenetModel(seed = 0): Model {
  return sequential({
    input: { name: "x", shape: [1, 28, 28] },
    layers: [
      conv2D({ filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      maxPooling2D({ poolSize: 2 }),
      conv2D({ filters: 16, kernelSize: 5, activation: "relu" }),
      maxPooling2D({ poolSize: 2 }),
      flatten(),
      dense({ units: 120, activation: "relu" }),
      dense({ units: 84, activation: "relu" }),
      dense({ units: classes }),
    ],
    output: "logits",
    seed,
  });
}
