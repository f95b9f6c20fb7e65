import { formula } from "../../operators/formula.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkArgument, checkProbabilities, labelsLike } from "./labels.ts";
import type { Loss } from "./loss.ts";

/**
 * For pairs whose output is their distance: d^2 for pairs that belong together, max(margin - d, 0)^2 for others, averaged.
 *
 * Labels are float32 in the output's shape [batch, ...]: 1 for together, 0 for apart. Default margin 1.
 *
 * @throws ARGUMENT_INVALID
 * @see R. Hadsell, S. Chopra, Y. LeCun, Dimensionality reduction by learning an invariant mapping (2006)
 */
export function contrastive({ output = "distance", margin = 1, ...others }: LossOptions & { readonly margin?: number } = {}): Loss {
  checkArgument("contrastive", { margin }, { fits: (value) => value > 0, range: "a number above 0" });
  return createLoss({
    others,
    name: "contrastive",
    output,
    config: { margin },
    labels: (value) => labelsLike(value, "contrastive"),
    losses(emit, value, labels) {
      const { add, max, mul, square, sub } = formula(emit);
      return add(mul(labels, square(value)), mul(sub(1, labels), square(max(sub(margin, value), 0))));
    },
    check: checkProbabilities,
  });
}
