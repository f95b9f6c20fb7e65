import { resNet } from "../../core/index.ts";
import type { TfjsPeer, TfModel } from "../peers/tfjs-layers.ts";
import { classes, type Subject } from "./subject.ts";

/** ResNet-18 with the stem for small pictures, at CIFAR's size. */
export const resnet18: Subject = {
  name: "ResNet-18 CIFAR b32",
  batch: 32,
  row: [3, 32, 32],
  build: () => resNet({ depth: 18, input: "x", shape: [3, 32, 32], head: { task: "classification", classes }, seed: 1 }),
  pytorch: "resnet18",
  tfjs: { build: tfjsResNet18, isNamed: true },
  learningRate: 1e-5,
  repeats: 1,
  rounds: 9,
};

/** The same network with the same names. Its own padding "same" would pad strided convolutions at one end only. */
function tfjsResNet18({ layers: tfjs }: TfjsPeer): TfModel {
  const { layers } = tfjs;
  const convolution = (x: unknown, name: string, { filters, size, strides }: { filters: number; size: number; strides: number }): unknown => {
    const padded = size === 1 ? x : layers.zeroPadding2d({ padding: (size - 1) / 2 }).apply(x);
    const convolved = layers.conv2d({ filters, kernelSize: size, strides, useBias: false, name: `${name}_conv` }).apply(padded);
    return layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5, name: `${name}_bn` }).apply(convolved);
  };
  const relu = (x: unknown): unknown => layers.activation({ activation: "relu" }).apply(x);
  const inputs = tfjs.input({ shape: [32, 32, 3] });
  let x = relu(convolution(inputs, "stem", { filters: 64, size: 3, strides: 1 }));
  for (let stage = 1; stage <= 4; stage += 1) {
    for (let block = 1; block <= 2; block += 1) {
      const [name, filters, strides] = [`stage${stage}_block${block}`, 32 * 2 ** stage, stage > 1 && block === 1 ? 2 : 1];
      const first = relu(convolution(x, `${name}_1`, { filters, size: 3, strides }));
      const second = convolution(first, `${name}_2`, { filters, size: 3, strides: 1 });
      const shortcut = strides === 1 ? x : convolution(x, `${name}_shortcut`, { filters, size: 1, strides });
      x = relu(layers.add({}).apply([second, shortcut]));
    }
  }
  const pooled = layers.globalAveragePooling2d({}).apply(x);
  return tfjs.model({ inputs, outputs: layers.dense({ units: classes, name: "head" }).apply(pooled) });
}
