import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { createLoss, type CountedLosses, type LossOptions } from "./create-loss.ts";
import { checkArgument, checkClassArguments, checkProbabilities, checkWeightCount, labelsLike } from "./labels.ts";
import type { Loss } from "./loss.ts";

/** Of yes-or-no outputs, one unit for each question. */
export interface BinaryCrossentropyOptions extends LossOptions {
  /** Weights of no and of yes; the loss is then the weighted mean. Default: 1 and 1. */
  readonly classWeights?: readonly [no: number, yes: number];
  /** This much of each label is moved to the middle: 1 becomes 1 - this / 2; 0 to below 1, default 0. */
  readonly labelSmoothing?: number;
  /** Whether the output is before its sigmoid; else it is probabilities. Default true. */
  readonly fromLogits?: boolean;
}

/**
 * -y log(p) - (1 - y) log(1 - p), averaged, for p the sigmoid of `logits`. Labels are float32 in the output's shape [batch, ...], from 0 to 1.
 *
 * @throws ARGUMENT_INVALID for a weight or smoothing out of range
 * @see https://keras.io/api/losses/probabilistic_losses/#binarycrossentropy-class
 */
export function binaryCrossentropy({
  output = "logits",
  classWeights,
  labelSmoothing = 0,
  fromLogits = true,
  ...others
}: BinaryCrossentropyOptions = {}): Loss {
  checkClassArguments("binaryCrossentropy", { labelSmoothing, classWeights });
  checkWeightCount("binaryCrossentropy", classWeights, 2);
  return createLoss({
    others,
    name: "binaryCrossentropy",
    output,
    config: { classWeights, labelSmoothing, fromLogits },
    labels: (value) => labelsLike(value, "binaryCrossentropy"),
    losses(emit, value, labels) {
      const losses = crossentropy(emit, value, { labels: smoothed(emit, labels, labelSmoothing), fromLogits });
      return classWeights === undefined ? losses : weighted(emit, losses, { labels, classWeights });
    },
    check: checkProbabilities,
  });
}

/** `binaryCrossentropy` that looks at what is hard. */
export interface BinaryFocalCrossentropyOptions extends Omit<BinaryCrossentropyOptions, "classWeights"> {
  /** How much less the easy count; from 0, default 2. */
  readonly gamma?: number;
  /** Weight of yes; no has 1 - this. Default: both count alike. */
  readonly alpha?: number;
}

/**
 * Cross-entropy times (1 - the probability of what is right)^gamma, averaged.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see T.-Y. Lin et al., Focal loss for dense object detection (2017)
 */
export function binaryFocalCrossentropy({
  output = "logits",
  gamma = 2,
  alpha,
  labelSmoothing = 0,
  fromLogits = true,
  ...others
}: BinaryFocalCrossentropyOptions = {}): Loss {
  checkClassArguments("binaryFocalCrossentropy", { labelSmoothing });
  checkArgument("binaryFocalCrossentropy", { gamma }, { fits: (value) => value >= 0, range: "a number from 0" });
  checkArgument("binaryFocalCrossentropy", { alpha: alpha ?? 0.5 }, { fits: (value) => value >= 0 && value <= 1, range: "from 0 to 1" });
  return createLoss({
    others,
    name: "binaryFocalCrossentropy",
    output,
    config: { gamma, alpha, labelSmoothing, fromLogits },
    labels: (value) => labelsLike(value, "binaryFocalCrossentropy"),
    losses(emit, value, given) {
      const { add, mul, sub } = formula(emit);
      const labels = smoothed(emit, given, labelSmoothing);
      const probability = fromLogits ? emit.op("Sigmoid", [value]) : value;
      // y (1 - p) + (1 - y) p: how wrong the output is
      const wrong = add(mul(labels, sub(1, probability)), mul(sub(1, labels), probability));
      const losses = focused(emit, crossentropy(emit, value, { labels, fromLogits }), { wrong, gamma });
      return alpha === undefined ? losses : mul(losses, add(mul(labels, 2 * alpha - 1), 1 - alpha));
    },
    check: checkProbabilities,
  });
}

/** Losses times wrong^gamma, whose slope would be infinite at 0 for a gamma below 1. */
export function focused(emit: Emitter, losses: Value, { wrong, gamma }: { readonly wrong: Value; readonly gamma: number }): Value {
  const { max, mul } = formula(emit);
  if (gamma === 0) return losses;
  return mul(emit.op("Pow", [gamma < 1 ? max(wrong, 1e-7) : wrong, emit.scalar(gamma, wrong.dtype)]), losses);
}

function smoothed(emit: Emitter, labels: Value, labelSmoothing: number): Value {
  const { add, mul } = formula(emit);
  return labelSmoothing === 0 ? labels : add(mul(labels, 1 - labelSmoothing), labelSmoothing / 2);
}

function crossentropy(emit: Emitter, output: Value, { labels, fromLogits }: { readonly labels: Value; readonly fromLogits: boolean }): Value {
  const { add, log, max, min, mul, neg, sub } = formula(emit);
  if (fromLogits) return sub(emit.op("Softplus", [output]), mul(labels, output)); // without overflow for any logit
  const probability = min(max(output, 1e-7), 1 - 1e-7);
  return neg(add(mul(labels, log(probability)), mul(sub(1, labels), log(sub(1, probability)))));
}

function weighted(
  emit: Emitter,
  losses: Value,
  { labels, classWeights: [no, yes] }: { readonly labels: Value; readonly classWeights: readonly [number, number] },
): CountedLosses {
  const { add, mul } = formula(emit);
  const counts = add(mul(labels, yes - no), no);
  return { losses: mul(losses, counts), counts };
}
