import { mobileNetV2 } from "../../core/index.ts";
import { classes, type Subject } from "./subject.ts";

/** MobileNetV2 with the stem for small pictures, at CIFAR's size; without dropout, whose random numbers systems draw differently. */
export const mobilenetV2: Subject = {
  name: "MobileNetV2 CIFAR b32",
  batch: 32,
  row: [3, 32, 32],
  build: () => mobileNetV2({ input: "x", shape: [3, 32, 32], head: { task: "classification", classes }, dropoutRate: 0, seed: 1 }),
  pytorch: "mobilenet_v2",
  learningRate: 1e-5,
  // Rounding grows from step to step: Adam's first steps are as long for tiny gradients as for large ones. After five of them PyTorch 2.15's own losses with
  // 1 and 2 threads differ by 2.7e-4 channels last, and those of its two layouts by as much; ours were 2.4e-5 from the contiguous ones.
  lossTolerance: 5e-4,
  repeats: 1,
  rounds: 9,
};
