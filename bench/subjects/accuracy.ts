import { resNet, type Model } from "../../core/index.ts";
import { lenetModel } from "./lenet.ts";
import { classes } from "./subject.ts";

/** The networks of the accuracy bench, by the name that they have in `peers/networks.py`; their first weights depend on the seed. */
const networks: Readonly<Record<string, (seed: number) => Model>> = {
  lenet: lenetModel,
  resnet18: (seed) => resNet({ input: "x", shape: [1, 28, 28], head: { task: "classification", classes }, seed }),
};

/** @throws Error with the names that there are */
export function accuracySubject(name: string, seed: number): Model {
  const build = networks[name];
  if (build === undefined) throw new Error(`no network "${name}"; there are ${Object.keys(networks).join(", ")}`);
  return build(seed);
}
