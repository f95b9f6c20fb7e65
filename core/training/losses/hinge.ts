import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import type { Tensor } from "../../tensor.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkLabels, checkProbabilities, labelsLike, lastSize } from "./labels.ts";
import type { Loss } from "./loss.ts";

// Margins instead of probabilities: scores are in the output "logits" unless named.

/** Mean of max(1 - label score, 0). Labels are float32 in the output's shape: 1, and -1 or 0 for the other class. @see https://keras.io/api/losses/hinge_losses/#hinge-class */
export function hinge({ output = "logits", ...others }: LossOptions = {}): Loss {
  return createLoss({ others, name: "hinge", output, labels: (value) => labelsLike(value, "hinge"), losses: missingMargin, check: checkSigns });
}

/** The square of `hinge`'s margins. @see https://keras.io/api/losses/hinge_losses/#squaredhinge-class */
export function squaredHinge({ output = "logits", ...others }: LossOptions = {}): Loss {
  return createLoss({
    others,
    name: "squaredHinge",
    output,
    labels: (value) => labelsLike(value, "squaredHinge"),
    losses: (emit, value, labels) => formula(emit).square(missingMargin(emit, value, labels)),
    check: checkSigns,
  });
}

/**
 * max(largest score of the other classes - score of the label + 1, 0). Labels are float32 one-hot [batch, ..., classes].
 *
 * @see https://keras.io/api/losses/hinge_losses/#categoricalhinge-class
 */
export function categoricalHinge({ output = "logits", ...others }: LossOptions = {}): Loss {
  return createLoss({
    others,
    name: "categoricalHinge",
    output,
    labels(value) {
      lastSize(value, "categoricalHinge");
      return labelsLike(value, "categoricalHinge");
    },
    losses(emit, value, labels) {
      const { add, max, mul, sub, sum } = formula(emit);
      const last = value.shape.length - 1;
      const own = sum(mul(labels, value), [last]);
      const other = emit.op("ReduceMax", [mul(sub(1, labels), value), emit.ints([last])], { keepdims: 0 });
      return max(add(sub(other, own), 1), 0);
    },
    check: checkProbabilities,
  });
}

function missingMargin(emit: Emitter, output: Value, labels: Value): Value {
  const { greater, max, mul, sub, where } = formula(emit);
  return max(sub(1, mul(where(greater(labels, 0), labels, -1), output)), 0);
}

function checkSigns(labels: Tensor, _units: number, place: string): void {
  checkLabels(labels, place, {
    fits: (label) => label === 1 || label === 0 || label === -1,
    mend: () => "; labels are 1, and -1 or 0 for the other class",
  });
}
