import { EspalierError } from "../../errors.ts";
import type { FittedFeature, FittedFeatures } from "../../features/features.ts";
import { nearestNames } from "../../nearest.ts";
import { imageNetworks } from "./images.ts";
import type { DataKind, NetworkFamily } from "./network.ts";
import { seriesNetworks } from "./series.ts";
import { tableNetworks } from "./table.ts";
import { textNetworks } from "./text.ts";

export { transferredName, withTransferred, type TransferSource } from "./transferred.ts";
export type { DataKind, Network, NetworkContext, NetworkFamily } from "./network.ts";

const families: readonly NetworkFamily[] = [tableNetworks, imageNetworks, textNetworks, seriesNetworks];

/** What "auto" trains: the floor first, then what must beat it. */
const automatic: readonly string[] = ["linear", "network"];

/** Every name of `--model`, each once. */
export const modelNames: readonly string[] = [...new Set(["auto", ...automatic, ...families.flatMap(({ networks }) => Object.keys(networks))])];

/**
 * Refuses a name that no kind of data has a network of: before anything is read.
 *
 * @throws ARGUMENT_INVALID with the nearest names and the list
 */
export function checkModelName(name: string): void {
  if (modelNames.includes(name)) return;
  const near = nearestNames(name, modelNames)[0];
  const guess = near === undefined ? "" : `; did you mean "${near}"?`;
  throw new EspalierError("ARGUMENT_INVALID", `there is no model "${name}"${guess} (${modelNames.join(", ")})`, { model: name, models: modelNames });
}

/**
 * The networks to train on some data, simplest first.
 *
 * @param model "auto", or a network's name
 * @throws ARGUMENT_INVALID for a network of another kind of data, and for what `checkModelName` refuses
 */
export function chooseNetworks(family: NetworkFamily, model: string): readonly string[] {
  checkModelName(model);
  if (model === "auto") return automatic;
  if (Object.hasOwn(family.networks, model)) return [model];
  const owner = families.find(({ networks }) => Object.hasOwn(networks, model));
  const names = ["auto", ...Object.keys(family.networks)];
  throw new EspalierError(
    "ARGUMENT_INVALID",
    `model "${model}" is for ${owner?.what ?? "other data"}, and this is ${family.what}; choose ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
    { model, models: names },
  );
}

/** The networks for fitted features. */
export function familyOf({ features }: FittedFeatures): NetworkFamily {
  const holds = (kind: FittedFeature["kind"]): boolean => features.some((feature) => feature.kind === kind);
  const kind: DataKind = holds("image") ? "images" : holds("text") ? "text" : holds("series") ? "series" : "table";
  return families.find((family) => family.kind === kind) ?? tableNetworks;
}
