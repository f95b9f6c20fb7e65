import { encoder } from "./encoder.ts";
import { lenet } from "./lenet.ts";
import { mlp } from "./mlp.ts";
import { mobilenetV2 } from "./mobilenet-v2.ts";
import { resnet18 } from "./resnet18.ts";
import type { Subject } from "./subject.ts";

/** Every network of the training bench. Adding one is one file and one line here. */
export const subjects: readonly Subject[] = [mlp, lenet, resnet18, mobilenetV2, encoder];

/** The subject of that name in the list. */
export function findSubject(name: string): Subject {
  const subject = subjects.find((item) => item.name === name);
  if (subject === undefined) throw new Error(`no subject "${name}"; there are ${subjects.map((item) => item.name).join(", ")}`);
  return subject;
}

export { classes, parametersOf, subjectData, type Subject } from "./subject.ts";
export { accuracySubject, augmentationOf, cautious, optimizerOf, type AccuracySubject, type Recipe } from "./accuracy.ts";
