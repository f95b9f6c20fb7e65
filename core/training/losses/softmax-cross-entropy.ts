import { EspalierError } from "../../errors.ts";
import { asNumber } from "../../operators/gradients.ts";
import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { tensor } from "../../tensor.ts";
import { focused } from "./binary-crossentropy.ts";
import { alphas, checkFocal } from "./categorical-crossentropy.ts";
import { createLoss, mean, type CountedLosses, type LossOptions } from "./create-loss.ts";
import { checkClassArguments, checkClasses, checkWeightCount, lastSize, type LabelType } from "./labels.ts";
import type { Loss } from "./loss.ts";

/** How classes are weighted and how sure the labels are. */
export interface SoftmaxCrossEntropyOptions extends LossOptions {
  /** One weight a class, in label order; the loss is then the weighted mean. Default: all 1. */
  readonly classWeights?: readonly number[];
  /** This much of each label is spread evenly over all classes; 0 to below 1, default 0. */
  readonly labelSmoothing?: number;
  /** A label that counts nothing: padding, or what is not to be learned. Default: there is none. */
  readonly ignoreIndex?: number;
}

/**
 * Cross-entropy between class labels and the softmax of `logits`: -log softmax(logits)[label], averaged.
 *
 * Labels are int32 [batch, ...], from 0 to classes - 1; logits are [batch, ..., classes]: rows, steps of sequences, pixels of images.
 *
 * @throws ARGUMENT_INVALID for a smoothing outside [0, 1), a weight that is not a number from 0, or an ignored label that is no whole number
 * @see https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html
 */
export function softmaxCrossEntropy({
  output = "logits",
  classWeights,
  labelSmoothing = 0,
  ignoreIndex,
  ...others
}: SoftmaxCrossEntropyOptions = {}): Loss {
  const name = "softmaxCrossEntropy";
  checkClassArguments(name, { labelSmoothing, classWeights });
  checkIgnored(name, ignoreIndex);
  return {
    name,
    config: { classWeights, labelSmoothing, ...(ignoreIndex !== undefined && { ignoreIndex }), ...(output !== "logits" && { output }) },
    output,
    labels(value) {
      checkWeightCount(name, classWeights, lastSize(value, name));
      return classLabels(value);
    },
    build(emit, logits, labels, rowWeights) {
      const plain = logits.shape.length === 2 && ignoreIndex === undefined; // what the fused operator means
      if (plain && classWeights === undefined) {
        const hard = rowWeights
          ? mean(emit, emit.op("SoftmaxCrossEntropyLoss", [logits, labels], { reduction: "none" }), rowWeights)
          : emit.op("SoftmaxCrossEntropyLoss", [logits, labels], { reduction: "mean" });
        return labelSmoothing === 0 ? hard : smooth(emit, hard, mean(emit, evenLoss(emit, logits), rowWeights), labelSmoothing);
      }
      const counted = createLoss({
        others,
        name,
        output,
        labels: classLabels,
        losses: (emitter, value, truth) => countedLosses(emitter, { logits: value, labels: truth, classWeights, labelSmoothing, ignoreIndex }),
        check: checkClasses,
      });
      return counted.build(emit, logits, labels, rowWeights);
    },
    check: (labels, units, place) => checkClasses(labels, units, place, ignoreIndex),
  };
}

/** `softmaxCrossEntropy` that looks at what is hard. */
export interface SparseFocalCrossentropyOptions extends LossOptions {
  /** How much less the easy count; from 0, default 2. */
  readonly gamma?: number;
  /** A weight for all classes or for each; default 0.25. */
  readonly alpha?: number | readonly number[];
  /** A label that counts nothing. Default: there is none. */
  readonly ignoreIndex?: number;
}

/**
 * alpha (1 - p)^gamma times -log(p), averaged, for p the probability of the label. Labels and logits are as for `softmaxCrossEntropy`.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see T.-Y. Lin et al., Focal loss for dense object detection (2017)
 */
export function sparseFocalCrossentropy({
  output = "logits",
  gamma = 2,
  alpha = 0.25,
  ignoreIndex,
  ...others
}: SparseFocalCrossentropyOptions = {}): Loss {
  const name = "sparseFocalCrossentropy";
  checkFocal(name, { gamma, alpha });
  checkIgnored(name, ignoreIndex);
  return createLoss({
    others,
    name,
    output,
    config: { gamma, alpha, ignoreIndex },
    labels(value) {
      checkWeightCount(name, typeof alpha === "number" ? undefined : alpha, lastSize(value, name));
      return classLabels(value);
    },
    losses(emit, logits, labels) {
      const { exp, mul, neg, sub } = formula(emit);
      const { log, isCounted, safe } = chosen(emit, { logits, labels, ignoreIndex });
      const weights = alphas(emit, logits, alpha);
      const ofLabel = typeof alpha === "number" ? weights : emit.op("Gather", [weights, safe]);
      const losses = mul(focused(emit, neg(log), { wrong: sub(1, exp(log)), gamma }), ofLabel);
      return isCounted === undefined ? losses : { losses: mul(losses, isCounted), counts: isCounted };
    },
    check: (labels, units, place) => checkClasses(labels, units, place, ignoreIndex),
  });
}

function classLabels({ shape }: Value): LabelType {
  return { dtype: "int32", shape: shape.slice(0, -1) };
}

function checkIgnored(name: string, ignoreIndex: number | undefined): void {
  if (ignoreIndex === undefined || Number.isSafeInteger(ignoreIndex)) return;
  throw new EspalierError("ARGUMENT_INVALID", `${name}: ignoreIndex must be a whole number, not ${ignoreIndex}`, { ignoreIndex });
}

interface Scores {
  readonly logits: Value;
  readonly labels: Value;
  readonly ignoreIndex: number | undefined;
}

interface CountedOptions extends Scores {
  readonly classWeights: readonly number[] | undefined;
  readonly labelSmoothing: number;
}

/** Losses [batch, ...] with class weights and without what is ignored. */
function countedLosses(emit: Emitter, { logits, labels, classWeights, labelSmoothing, ignoreIndex }: CountedOptions): Value | CountedLosses {
  const { mul, neg } = formula(emit);
  const { log, isCounted, safe } = chosen(emit, { logits, labels, ignoreIndex });
  const hard = neg(log);
  const losses = labelSmoothing === 0 ? hard : smooth(emit, hard, evenLoss(emit, logits), labelSmoothing);
  const ofClass = classWeights && emit.op("Gather", [emit.constant(tensor(logits.dtype, [classWeights.length], classWeights)), safe]);
  const counts = isCounted && ofClass ? mul(isCounted, ofClass) : (isCounted ?? ofClass);
  return counts === undefined ? losses : { losses: mul(losses, counts), counts };
}

/** log softmax at the labels [batch, ...]; which of them count, 0 or 1, where some may not; and the labels with 0 in those places. */
function chosen(
  emit: Emitter,
  { logits, labels, ignoreIndex }: Scores,
): { readonly log: Value; readonly isCounted: Value | undefined; readonly safe: Value } {
  const { sum, where } = formula(emit);
  const last = logits.shape.length - 1;
  const ignored = ignoreIndex === undefined ? undefined : emit.op("Equal", [labels, emit.scalar(ignoreIndex, labels.dtype)]);
  const safe = ignored ? where(ignored, 0, labels) : labels;
  const units = Number(logits.shape[last]);
  const numbers = emit.constant(
    tensor(
      labels.dtype,
      [units],
      Array.from({ length: units }, (_, i) => i),
    ),
  );
  const isLabel = emit.op("Equal", [emit.op("Unsqueeze", [safe, emit.ints([last])]), numbers]);
  const log = sum(where(isLabel, emit.op("LogSoftmax", [logits], { axis: -1 }), 0), [last]);
  return { log, safe, isCounted: ignored && asNumber(emit, emit.op("Not", [ignored]), logits) };
}

/** -mean of log softmax over the classes: the loss of an even label. */
function evenLoss(emit: Emitter, logits: Value): Value {
  const { mean: average, neg } = formula(emit);
  return neg(average(emit.op("LogSoftmax", [logits], { axis: -1 }), [logits.shape.length - 1]));
}

function smooth(emit: Emitter, hard: Value, even: Value, labelSmoothing: number): Value {
  const { add, mul } = formula(emit);
  return add(mul(hard, 1 - labelSmoothing), mul(even, labelSmoothing));
}
