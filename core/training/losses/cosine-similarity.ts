import { formula } from "../../operators/formula.ts";
import type { Value } from "../../operators/operator.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkFinite, labelsLike, lastSize } from "./labels.ts";
import type { Loss } from "./loss.ts";

/**
 * Minus the cosine of the angle between output and label over the last axis, averaged: -1 is the best. Labels are float32 in the output's shape.
 *
 * @see https://keras.io/api/losses/regression_losses/#cosinesimilarity-class
 */
export function cosineSimilarity({ output = "prediction", ...others }: LossOptions = {}): Loss {
  return createLoss({
    others,
    name: "cosineSimilarity",
    output,
    labels(value) {
      lastSize(value, "cosineSimilarity");
      return labelsLike(value, "cosineSimilarity");
    },
    losses(emit, value, labels) {
      const { div, max, mul, neg, sqrt, square, sum } = formula(emit);
      const last = [value.shape.length - 1];
      const size = (vector: Value): Value => sqrt(max(sum(square(vector), last), 1e-12)); // a vector of zeros has no direction
      return neg(div(sum(mul(value, labels), last), mul(size(value), size(labels))));
    },
    check: checkFinite,
  });
}
