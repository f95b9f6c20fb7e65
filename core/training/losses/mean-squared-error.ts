import { checkFinite, rankTwo } from "./labels.ts";
import type { Loss } from "./loss.ts";

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
    build(emit, output, labels) {
      const difference = emit.op("Sub", [output, labels]);
      return emit.op("ReduceMean", [emit.op("Mul", [difference, difference])], { keepdims: 0 });
    },
    check: checkFinite,
  };
}
