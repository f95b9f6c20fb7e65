import { featureWidth } from "../../features/transform.ts";
import { linear, mlp } from "../../models/index.ts";
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
  },
  recipe: (name, { head, rows }) => tableRecipe({ head, rows, model: name === "linear" ? "linear" : "network" }),
};
