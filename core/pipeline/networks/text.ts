import { createTokenizer } from "../../features/byte-pair/index.ts";
import { featureWidth } from "../../features/transform.ts";
import { deepAveraging, textTransformer, type DeepAveragingOptions, type Model, type TokenInput } from "../../models/index.ts";
import { adam, tableRecipe } from "../../training/index.ts";
import type { NetworkContext, NetworkFamily } from "./network.ts";

/** Networks for tables with columns of free text: inputs are the tokens of each, int32 [batch, maxLength], and `features` [batch, width] where there are other columns. */
export const textNetworks: NetworkFamily = {
  kind: "text",
  what: "a table with a text",
  networks: {
    linear: (context) => averaging(context, { units: 32, hidden: [] }),
    network: (context) => averaging(context, {}),
    "deep-averaging": (context) => averaging(context, {}),
    "text-transformer": ({ features, head, seed }) => textTransformer({ texts: tokenInputs(features), features: featureWidth(features), head, seed }),
  },
  recipe: (name, { head, rows }) => ({
    ...tableRecipe({ head, rows, model: name === "linear" ? "linear" : "network" }),
    // Weight decay would pull the vectors of rare tokens to nothing; dropout holds the network instead.
    optimizer: adam({ learningRate: name === "text-transformer" ? 0.001 : 0.005 }),
    earlyStopping: { patience: 8 },
  }),
};

function averaging({ features, head, seed }: NetworkContext, sizes: Pick<DeepAveragingOptions, "units" | "hidden">): Model {
  return deepAveraging({ texts: tokenInputs(features), width: featureWidth(features), head, seed, ...sizes });
}

/** The inputs that text features make. */
export function tokenInputs({ features }: NetworkContext["features"]): readonly TokenInput[] {
  return features.flatMap((feature) =>
    feature.kind === "text" ? [{ input: feature.column, vocabulary: createTokenizer(feature.merges).vocabulary, maxLength: feature.maxLength }] : [],
  );
}
