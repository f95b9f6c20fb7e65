import { checkChoice } from "../../nearest.ts";
import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkArgument, checkProbabilities, labelsLike } from "./labels.ts";
import type { Loss } from "./loss.ts";

/** Of masks. */
export interface OverlapOptions extends LossOptions {
  /** What makes probabilities of the output; "linear" when it is probabilities already. Default "sigmoid". */
  readonly activation?: "sigmoid" | "softmax" | "linear";
}

/**
 * 1 - Dice's coefficient of each row, 2 |y p| / (|y| + |p|), averaged: for masks of which little is set. Labels are float32 in the output's shape [batch, ...].
 *
 * @throws ARGUMENT_INVALID
 * @see F. Milletari, N. Navab, S.-A. Ahmadi, V-Net (2016)
 */
export function dice({ output = "logits", activation = "sigmoid", ...others }: OverlapOptions = {}): Loss {
  checkActivation("dice", activation);
  return createLoss({
    others,
    name: "dice",
    output,
    config: { activation },
    labels: (value) => labelsLike(value, "dice"),
    losses(emit, value, labels) {
      const { add, div, mul, sub } = formula(emit);
      const probabilities = activate(emit, value, activation);
      const both = perRow(emit, mul(labels, probabilities));
      return sub(1, div(mul(both, 2), add(add(perRow(emit, labels), perRow(emit, probabilities)), 1e-7)));
    },
    check: checkProbabilities,
  });
}

/**
 * 1 - Tversky's index of each row, averaged: `dice` with false positives counted `alpha` and false negatives `beta` times. Default 0.5 and 0.5, which is Dice.
 *
 * @throws ARGUMENT_INVALID for a factor below 0
 * @see S. S. M. Salehi, D. Erdogmus, A. Gholipour, Tversky loss function for image segmentation (2017)
 */
export function tversky({
  output = "logits",
  activation = "sigmoid",
  alpha = 0.5,
  beta = 0.5,
  ...others
}: OverlapOptions & { readonly alpha?: number; readonly beta?: number } = {}): Loss {
  checkActivation("tversky", activation);
  checkArgument("tversky", { alpha, beta }, { fits: (value) => value >= 0, range: "a number from 0" });
  return createLoss({
    others,
    name: "tversky",
    output,
    config: { activation, alpha, beta },
    labels: (value) => labelsLike(value, "tversky"),
    losses(emit, value, labels) {
      const { add, div, mul, sub } = formula(emit);
      const probabilities = activate(emit, value, activation);
      const both = perRow(emit, mul(labels, probabilities));
      const falsePositives = perRow(emit, mul(sub(1, labels), probabilities));
      const falseNegatives = perRow(emit, mul(labels, sub(1, probabilities)));
      return sub(1, div(both, add(add(both, add(mul(falsePositives, alpha), mul(falseNegatives, beta))), 1e-7)));
    },
    check: checkProbabilities,
  });
}

function checkActivation(loss: string, activation: string): void {
  checkChoice(loss, "activation", activation, ["sigmoid", "softmax", "linear"]);
}

function activate(emit: Emitter, output: Value, activation: "sigmoid" | "softmax" | "linear"): Value {
  switch (activation) {
    case "linear":
      return output;
    case "sigmoid":
      return emit.op("Sigmoid", [output]);
    case "softmax":
      return emit.op("Softmax", [output], { axis: -1 });
    default:
      return activation satisfies never;
  }
}

/** Sums of the rows, [batch]. */
function perRow(emit: Emitter, value: Value): Value {
  return value.shape.length === 1 ? value : formula(emit).sum(value, [...value.shape.keys()].slice(1));
}
