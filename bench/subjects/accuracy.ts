import { conv2D, dense, flatten, maxPooling2D, resNet, sequential, type Model } from "../../core/index.ts";
import { classes } from "./subject.ts";

/** The networks of the accuracy bench, by the name that they have in `peers/networks.py`; their first weights depend on the seed. */
const networks: Readonly<Record<string, (seed: number) => Model>> = {
  lenet: (seed) =>
    sequential({
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
    }),
  resnet18: (seed) => resNet({ input: "x", shape: [1, 28, 28], head: { task: "classification", classes }, seed }),
};

/** @throws Error with the names that there are */
export function accuracySubject(name: string, seed: number): Model {
  const build = networks[name];
  if (build === undefined) throw new Error(`no network "${name}"; there are ${Object.keys(networks).join(", ")}`);
  return build(seed);
}
