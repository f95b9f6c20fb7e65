import { formula } from "../../operators/formula.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkDistributions, labelsLike, lastSize } from "./labels.ts";
import type { Loss } from "./loss.ts";

/**
 * sum of y log(y / p) over the classes, averaged, for p the softmax of `logits` (or the output itself). Labels are float32 [batch, ..., classes] that sum to 1.
 *
 * @param options.fromLogits whether the output is before its softmax; else it is probabilities. Default true.
 * @see https://keras.io/api/losses/probabilistic_losses/#kldivergence-class
 */
export function klDivergence({ output = "logits", fromLogits = true, ...others }: LossOptions & { readonly fromLogits?: boolean } = {}): Loss {
  return createLoss({
    others,
    name: "klDivergence",
    output,
    config: { fromLogits },
    labels(value) {
      lastSize(value, "klDivergence");
      return labelsLike(value, "klDivergence");
    },
    losses(emit, value, given) {
      const { log, max, min, mul, sub, sum } = formula(emit);
      const labels = min(max(given, 1e-7), 1);
      const logs = fromLogits ? emit.op("LogSoftmax", [value], { axis: -1 }) : log(min(max(value, 1e-7), 1));
      return sum(mul(labels, sub(log(labels), logs)), [value.shape.length - 1]);
    },
    check: checkDistributions,
  });
}
