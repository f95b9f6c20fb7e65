import { EspalierError } from "../../errors.ts";
import { windowMlp, type Model, type WindowMlpOptions } from "../../models/index.ts";
import { adam, tableRecipe } from "../../training/index.ts";
import type { NetworkContext, NetworkFamily } from "./network.ts";

/** Networks for forecasts: their input is `series` [batch, window, columns], the column that is forecast first. */
export const seriesNetworks: NetworkFamily = {
  kind: "series",
  what: "a time series",
  networks: {
    linear: (context) => perceptron(context, { hidden: [] }),
    network: (context) => perceptron(context, {}),
    mlp: (context) => perceptron(context, {}),
  },
  recipe: (name, { head, rows }) => ({
    ...tableRecipe({ head, rows, model: name === "linear" ? "linear" : "network" }),
    optimizer: adam({ learningRate: name === "linear" ? 0.003 : 0.001, weightDecay: 1e-4 }),
  }),
};

function perceptron(context: NetworkContext, sizes: Pick<WindowMlpOptions, "hidden">): Model {
  return windowMlp({ ...windowOf(context), head: context.head, seed: context.seed, ...sizes });
}

/** The sizes of the input `series`. */
export function windowOf({ features: { features } }: NetworkContext): { readonly window: number; readonly columns: number } {
  const [first] = features;
  if (first?.kind !== "series") throw new EspalierError("INTERNAL", "a network for series was chosen for other features", { features });
  return { window: first.window, columns: features.length };
}
