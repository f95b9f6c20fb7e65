import { dense, dropout, flatten, Network, type Layer } from "../layers/index.ts";
import { checkForecaster, type ForecasterOptions } from "./forecaster.ts";
import { headUnits } from "./head.ts";
import type { Model } from "./model.ts";

/** What a perceptron on windows is made of. */
export interface WindowMlpOptions extends ForecasterOptions {
  /** Units of each hidden layer; none gives a linear model of the window. Default [64]. */
  readonly hidden?: readonly number[];
  /** The share of numbers that a training step leaves out after each hidden layer. Default 0.1. */
  readonly dropoutRate?: number;
}

/**
 * Dense layers on all values of a window [batch, window, features], added to the last value of the first feature: without having learned anything it answers "as now", and training finds what
 * differs.
 *
 * @throws ARGUMENT_INVALID
 * @see A. Zeng et al., Are transformers effective for time series forecasting?, AAAI 2023, for the linear form
 */
export function windowMlp({ input = "window", window, features, horizon, hidden = [64], dropoutRate = 0.1, seed = 0 }: WindowMlpOptions): Model {
  checkForecaster("windowMlp", { window, features, horizon });
  const { output } = headUnits({ task: "regression", units: horizon });
  const network = new Network("window-mlp", { seed });
  const series = network.input(input, [window, features]);
  let x = network.apply(flatten(), series);
  for (const units of hidden) {
    x = network.apply(dense({ units, activation: "relu", kernelInitializer: "heNormal" }), x);
    if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate }), x);
  }
  const difference = network.apply(dense({ units: horizon, kernelInitializer: hidden.length === 0 ? "zeros" : "glorotUniform" }), x);
  network.output(output, network.apply(fromLastValue(window), difference, series));
  return network.build({ name: "window-mlp", window, features, horizon, hidden, dropoutRate, seed });
}

/** What was learned, on top of the window's last value of the first feature: [batch, horizon]. */
function fromLastValue(window: number): Layer {
  return {
    kind: "FromLastValue",
    config: { window },
    merges: true,
    apply({ emit, fail }, difference, series) {
      if (series === undefined) return fail("takes the difference and the series");
      const last = emit.op("Slice", [series, emit.ints([window - 1, 0]), emit.ints([window, 1]), emit.ints([1, 2])]); // [batch, 1, 1]
      return emit.op("Add", [difference, emit.op("Flatten", [last], { axis: 1 })]);
    },
  };
}
