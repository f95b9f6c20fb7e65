import { dense, dropout, gru, lstm, Network } from "../layers/index.ts";
import { checkForecaster, type ForecasterOptions } from "./forecaster.ts";
import { headUnits } from "./head.ts";
import type { Model } from "./model.ts";

/** What a recurrent forecaster is made of. */
export interface RecurrentForecasterOptions extends ForecasterOptions {
  readonly cell?: "lstm" | "gru";
  /** Units of each recurrent layer. */
  readonly units?: readonly number[];
  readonly dropoutRate?: number;
}

/**
 * Recurrent layers over a window, and one dense layer on their last state: `window` [batch, window, features] -> `prediction` [batch, horizon].
 *
 * @throws ARGUMENT_INVALID
 * @see S. Hochreiter, J. Schmidhuber, Long short-term memory (1997)
 */
export function recurrentForecaster({
  input = "window",
  window,
  features,
  horizon,
  cell = "lstm",
  units = [64],
  dropoutRate = 0,
  seed = 0,
}: RecurrentForecasterOptions): Model {
  checkForecaster("recurrentForecaster", { window, features, horizon });
  const { output } = headUnits({ task: "regression", units: horizon });
  const network = new Network(`${cell}-forecaster`, { seed });
  let x = network.input(input, [window, features]);
  for (const [i, size] of units.entries()) {
    const options = { units: size, returnSequences: i < units.length - 1, name: `${cell}${i + 1}` };
    x = cell === "lstm" ? network.apply(lstm(options), x) : network.apply(gru(options), x);
    if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate, name: `${cell}${i + 1}_dropout` }), x);
  }
  network.output(output, network.apply(dense({ units: horizon, name: "head" }), x));
  return network.build({ name: `${cell}-forecaster`, window, features, horizon, units, dropoutRate, seed });
}
