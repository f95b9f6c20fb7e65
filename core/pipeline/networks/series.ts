import { EspalierError } from "../../errors.ts";
import { seriesInput } from "../../features/transform.ts";
import { nBeats, recurrentForecaster, temporalConvolution, windowMlp } from "../../models/index.ts";
import { adam, tableRecipe } from "../../training/index.ts";
import type { NetworkContext, NetworkFamily } from "./network.ts";

/** Networks for forecasts: their input is `series` [batch, window, columns], the column that is forecast first. */
export const seriesNetworks: NetworkFamily = {
  kind: "series",
  what: "a time series",
  networks: {
    linear: (context) => windowMlp({ ...sizesOf(context), hidden: [] }),
    network: (context) => windowMlp(sizesOf(context)),
    mlp: (context) => windowMlp(sizesOf(context)),
    lstm: (context) => recurrentForecaster({ ...sizesOf(context), cell: "lstm" }),
    gru: (context) => recurrentForecaster({ ...sizesOf(context), cell: "gru" }),
    tcn: (context) => temporalConvolution(sizesOf(context)),
    "n-beats": (context) => nBeats(sizesOf(context)),
  },
  recipe: (name, { head, rows }) => ({
    ...tableRecipe({ head, rows, model: name === "linear" ? "linear" : "network" }),
    optimizer: adam({ learningRate: name === "linear" ? 0.003 : 0.001, weightDecay: 1e-4 }),
  }),
};

/** What every forecaster is sized by. */
interface Sizes {
  readonly input: string;
  readonly window: number;
  readonly features: number;
  readonly horizon: number;
  readonly seed: number;
}

function sizesOf({ features: { features }, head, seed }: NetworkContext): Sizes {
  const [first] = features;
  if (first?.kind !== "series" || head.task !== "regression") {
    throw new EspalierError("INTERNAL", "a forecaster was chosen for other features or another task", { features, head });
  }
  return { input: seriesInput, window: first.window, features: features.length, horizon: head.units ?? 1, seed };
}
