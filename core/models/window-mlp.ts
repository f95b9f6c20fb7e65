import { dense, dropout, flatten, Network, type Layer } from "../layers/index.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";

/** What a perceptron on windows is made of. */
export interface WindowMlpOptions {
  /** Rows that are looked back. */
  readonly window: number;
  /** Columns of a row; the first is what is forecast. */
  readonly columns: number;
  /** A regression of as many values as are forecast. */
  readonly head: Head;
  /** Units of each hidden layer; none gives a linear model of the window. Default [64]. */
  readonly hidden?: readonly number[];
  /** The share of numbers that a training step leaves out after each hidden layer. Default 0.1. */
  readonly rate?: number;
  readonly seed?: number;
}

/**
 * Dense layers on all values of a window `series` [batch, window, columns], added to the last value of the first column: without having learned anything it answers "as now", and training finds
 * what differs.
 *
 * @throws ARGUMENT_INVALID
 * @see A. Zeng et al., Are transformers effective for time series forecasting?, AAAI 2023, for the linear form
 */
export function windowMlp({ window, columns, head, hidden = [64], rate = 0.1, seed = 0 }: WindowMlpOptions): Model {
  const { units, output } = headUnits(head);
  const network = new Network("window-mlp", { seed });
  const series = network.input("series", [window, columns]);
  let x = network.apply(flatten(), series);
  for (const size of hidden) {
    x = network.apply(dense({ units: size, activation: "relu", kernelInitializer: "heNormal" }), x);
    if (rate > 0) x = network.apply(dropout({ rate }), x);
  }
  const difference = network.apply(dense({ units, kernelInitializer: hidden.length === 0 ? "zeros" : "glorotUniform" }), x);
  network.output(output, network.apply(fromLastValue(window), difference, series));
  return network.build({ name: "window-mlp", window, columns, units, hidden, rate, seed });
}

/** What was learned, on top of the window's last value of the first column: [batch, units]. */
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
