import { featureWidth } from "../../features/transform.ts";
import { featureBlocks } from "../../features/blocks.ts";
import { ftTransformer, linear, mlp, tabTransformer, wideAndDeep } from "../../models/index.ts";
import { tableRecipe } from "../../training/index.ts";
import type { Network, NetworkFamily } from "./network.ts";

const perceptron: Network = ({ features, ...context }) => mlp({ width: featureWidth(features), ...context });

/** Networks for tables of numbers and categories: their input is `features` [batch, width]. */
export const tableNetworks: NetworkFamily = {
  kind: "table",
  what: "a table of numbers and categories",
  networks: {
    linear: ({ features, ...context }) => linear({ width: featureWidth(features), ...context }),
    network: perceptron,
    mlp: perceptron,
    "wide-and-deep": ({ features, ...context }) => wideAndDeep({ blocks: featureBlocks(features), ...context }),
    "ft-transformer": ({ features, ...context }) => ftTransformer({ blocks: featureBlocks(features), ...context }),
    "tab-transformer": ({ features, ...context }) => tabTransformer({ blocks: featureBlocks(features), ...context }),
  },
  recipe: (name, { head, rows }) => tableRecipe({ head, rows, model: name === "linear" ? "linear" : "network" }),
};
