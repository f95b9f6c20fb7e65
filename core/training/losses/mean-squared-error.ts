import { checkFinite, rankTwo } from "./labels.ts";
import type { Loss } from "./loss.ts";
import { meanOfRows } from "./mean-of-rows.ts";

/**
 * Mean of (prediction - label)^2. Labels are float32 [batch, 1], as the prediction.
 *
 * @see https://keras.io/api/losses/regression_losses/#meansquarederror-class
 */
export function meanSquaredError(): Loss {
  return {
    name: "meanSquaredError",
    config: {},
    output: "prediction",
    labels: (output) => ({ dtype: "float32", shape: rankTwo(output, "meanSquaredError") }),
    build(emit, output, labels, weights) {
      const difference = emit.op("Sub", [output, labels]);
      const squares = emit.op("Mul", [difference, difference]);
      if (weights === undefined) return emit.op("ReduceMean", [squares], { keepdims: 0 });
      return meanOfRows(emit, emit.op("ReduceMean", [squares, emit.ints([1])], { keepdims: 0 }), weights);
    },
    check: checkFinite,
  };
}
