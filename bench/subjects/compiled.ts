import { resNet } from "../../core/index.ts";
import { classes, type Subject } from "./subject.ts";
import { subjects } from "./index.ts";

/** What the compile bench compiles: a subject that may have no peer. */
export type CompiledSubject = Omit<Subject, "pytorch">;

/** ResNet-50 at CIFAR's size, in small batches: compiling does not depend on them. */
const resnet50: CompiledSubject = {
  name: "ResNet-50 CIFAR b4",
  batch: 4,
  row: [3, 32, 32],
  build: () => resNet({ depth: 50, input: "x", shape: [3, 32, 32], head: { task: "classification", classes }, seed: 1 }),
  learningRate: 1e-5,
  repeats: 1,
  rounds: 5,
};

/** Every network of the compile bench. */
export const compiledSubjects: readonly CompiledSubject[] = [...subjects, resnet50];
