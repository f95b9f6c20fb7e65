import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { tensor } from "../../tensor.ts";
import { focused } from "./binary-crossentropy.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkArgument, checkClassArguments, checkDistributions, checkWeightCount, labelsLike, lastSize, type LabelType } from "./labels.ts";
import type { Loss } from "./loss.ts";

/** Of classes whose labels are probabilities: one-hot, or soft as from a teacher. */
export interface CategoricalCrossentropyOptions extends LossOptions {
  /** One weight a class, in label order; the loss is then the weighted mean. Default: all 1. */
  readonly classWeights?: readonly number[];
  /** This much of each label is spread evenly over all classes; 0 to below 1, default 0. */
  readonly labelSmoothing?: number;
  /** Whether the output is before its softmax; else it is probabilities. Default true. */
  readonly fromLogits?: boolean;
}

/**
 * -sum of y log(p) over the classes, averaged, for p the softmax of `logits`. Labels are float32 [batch, ..., classes] that sum to 1.
 *
 * For class numbers see `softmaxCrossEntropy`.
 *
 * @throws ARGUMENT_INVALID for a weight or smoothing out of range
 * @see https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class
 */
export function categoricalCrossentropy({
  output = "logits",
  classWeights,
  labelSmoothing = 0,
  fromLogits = true,
  ...others
}: CategoricalCrossentropyOptions = {}): Loss {
  const name = "categoricalCrossentropy";
  checkClassArguments(name, { labelSmoothing, classWeights });
  return createLoss({
    others,
    name,
    output,
    config: { classWeights, labelSmoothing, fromLogits },
    labels(value) {
      checkWeightCount(name, classWeights, lastSize(value, name));
      return labelsLike(value, name);
    },
    losses(emit, value, labels) {
      const { mul, neg, sum } = formula(emit);
      const last = value.shape.length - 1;
      const terms = mul(smoothed(emit, labels, labelSmoothing), logProbabilities(emit, value, fromLogits));
      if (classWeights === undefined) return neg(sum(terms, [last]));
      const weights = emit.constant(tensor(value.dtype, [classWeights.length], classWeights));
      const counts = sum(mul(labels, weights), [last]);
      return { losses: mul(neg(sum(terms, [last])), counts), counts };
    },
    check: checkDistributions,
  });
}

/** `categoricalCrossentropy` that looks at what is hard. */
export interface CategoricalFocalCrossentropyOptions extends Omit<CategoricalCrossentropyOptions, "classWeights"> {
  /** How much less the easy count; from 0, default 2. */
  readonly gamma?: number;
  /** A weight for all classes or for each; default 0.25. */
  readonly alpha?: number | readonly number[];
}

/**
 * -sum of alpha (1 - p)^gamma y log(p) over the classes, averaged. Labels are as for `categoricalCrossentropy`.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see https://keras.io/api/losses/probabilistic_losses/#categoricalfocalcrossentropy-class
 */
export function categoricalFocalCrossentropy({
  output = "logits",
  gamma = 2,
  alpha = 0.25,
  labelSmoothing = 0,
  fromLogits = true,
  ...others
}: CategoricalFocalCrossentropyOptions = {}): Loss {
  const name = "categoricalFocalCrossentropy";
  checkFocal(name, { gamma, alpha });
  checkClassArguments(name, { labelSmoothing });
  return createLoss({
    others,
    name,
    output,
    config: { gamma, alpha, labelSmoothing, fromLogits },
    labels: (value) => focalLabels(name, value, alpha),
    losses(emit, value, labels) {
      const { exp, mul, neg, sub, sum } = formula(emit);
      const logs = logProbabilities(emit, value, fromLogits);
      const entropy = mul(smoothed(emit, labels, labelSmoothing), logs);
      return neg(sum(mul(focused(emit, entropy, { wrong: sub(1, exp(logs)), gamma }), alphas(emit, value, alpha)), [value.shape.length - 1]));
    },
    check: checkDistributions,
  });
}

/** @throws ARGUMENT_INVALID */
export function checkFocal(name: string, { gamma, alpha }: { readonly gamma: number; readonly alpha: number | readonly number[] }): void {
  checkArgument(name, { gamma }, { fits: (value) => value >= 0, range: "a number from 0" });
  for (const value of typeof alpha === "number" ? [alpha] : alpha)
    checkArgument(name, { alpha: value }, { fits: (one) => one >= 0, range: "a number from 0" });
}

/** Focal weights as a constant that goes with [batch, ..., classes]. */
export function alphas(emit: Emitter, output: Value, alpha: number | readonly number[]): Value {
  return typeof alpha === "number" ? emit.scalar(alpha, output.dtype) : emit.constant(tensor(output.dtype, [alpha.length], alpha));
}

function focalLabels(name: string, value: Value, alpha: number | readonly number[]): LabelType {
  checkWeightCount(name, typeof alpha === "number" ? undefined : alpha, lastSize(value, name));
  return labelsLike(value, name);
}

function logProbabilities(emit: Emitter, output: Value, fromLogits: boolean): Value {
  if (fromLogits) return emit.op("LogSoftmax", [output], { axis: -1 });
  const { log, max, min } = formula(emit);
  return log(min(max(output, 1e-7), 1 - 1e-7));
}

function smoothed(emit: Emitter, labels: Value, labelSmoothing: number): Value {
  const { add, mul } = formula(emit);
  return labelSmoothing === 0 ? labels : add(mul(labels, 1 - labelSmoothing), labelSmoothing / Number(labels.shape.at(-1)));
}
