import { resNet } from "../../core/index.ts";
import { classes, type Subject } from "./subject.ts";

/** ResNet-18 with the stem for small pictures, at CIFAR's size. */
export const resnet18: Subject = {
  name: "ResNet-18 CIFAR b32",
  batch: 32,
  row: [3, 32, 32],
  build: () => resNet({ depth: 18, input: "x", shape: [3, 32, 32], head: { task: "classification", classes }, seed: 1 }),
  pytorch: "resnet18",
  learningRate: 1e-5,
  repeats: 1,
  rounds: 9,
};
