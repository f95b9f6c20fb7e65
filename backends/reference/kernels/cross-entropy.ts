import { elementCount } from "../../../core/index.ts";
import {
  memoryFor,
  numbersOf,
  required,
  scalarOf,
  tensorOf,
  type KernelContext,
  type KernelFactory,
  type Numbers,
  type NumericTensor,
} from "../kernel.ts";
import { logSoftmaxLine } from "./softmax.ts";

/** Cross-entropy of scores [n, classes, ...] against labels [n, ...], and its gradient by the scores. */
export const crossEntropyKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html */
  SoftmaxCrossEntropyLoss: (context) => {
    const reduction = context.attributes.string("reduction");
    return (inputs) => {
      const [scores, labels] = [required(inputs, 0), required(inputs, 1)];
      const { classes, inner } = layoutOf(scores);
      const logProbability = memoryFor(scores.dtype, scores.data.length);
      const losses = memoryFor(scores.dtype, labels.data.length);
      const { weights, total } = weightsOf(context, { labels, classes, given: inputs[2] });
      const chosen = numbersOf(labels);
      const exact = new Float64Array(scores.data.length);
      let sum = 0;
      for (let item = 0; item < chosen.length; item += 1) {
        const start = Math.floor(item / inner) * classes * inner + (item % inner);
        logSoftmaxLine(numbersOf(scores), exact, { start, step: inner, size: classes });
        const loss = weights[item] === 0 ? 0 : -weights[item]! * exact[start + chosen[item]! * inner]!;
        losses[item] = loss;
        sum += loss;
      }
      logProbability.set(exact);
      const second = tensorOf(scores.dtype, scores.shape, logProbability);
      if (reduction === "none") return [tensorOf(scores.dtype, labels.shape, losses), second].slice(0, context.outputTypes.length);
      const loss = reduction === "mean" ? sum / total : sum;
      return [tensorOf(scores.dtype, [], Float64Array.of(loss)), second].slice(0, context.outputTypes.length);
    };
  },

  /** @see https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html */
  NegativeLogLikelihoodLoss: (context) => {
    const reduction = context.attributes.string("reduction");
    return (inputs) => {
      const [logProbability, labels] = [required(inputs, 0), required(inputs, 1)];
      const { classes, inner } = layoutOf(logProbability);
      const { weights, total } = weightsOf(context, { labels, classes, given: inputs[2] });
      const [logs, chosen] = [numbersOf(logProbability), numbersOf(labels)];
      const losses = Float64Array.from(weights, (weight, item) => {
        return weight === 0 ? 0 : -weight * logs[(Math.floor(item / inner) * classes + chosen[item]!) * inner + (item % inner)]!;
      });
      if (reduction === "none") return [tensorOf(logProbability.dtype, labels.shape, losses)];
      const sum = losses.reduce((a, b) => a + b, 0);
      return [tensorOf(logProbability.dtype, [], Float64Array.of(reduction === "mean" ? sum / total : sum))];
    };
  },

  /** (softmax - one-hot) times each label's weight; over the sum of the weights for "mean". */
  SoftmaxCrossEntropyLossGrad: (context) => {
    const reduction = context.attributes.string("reduction");
    return (inputs) => {
      const [logProbability, labels, dLoss] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
      const { classes, inner } = layoutOf(logProbability);
      const { weights, total } = weightsOf(context, { labels, classes, given: inputs[3] });
      const [logs, chosen, losses] = [numbersOf(logProbability), numbersOf(labels), numbersOf(dLoss)];
      const out = memoryFor(logProbability.dtype, logs.length);
      for (let item = 0; item < chosen.length; item += 1) {
        const start = Math.floor(item / inner) * classes * inner + (item % inner);
        const scale = weights[item]! * (reduction === "none" ? losses[item]! : scalarOf(dLoss) / (reduction === "mean" ? total : 1));
        for (let k = 0; k < classes; k += 1) {
          const at = start + k * inner;
          out[at] = scale * (Math.exp(logs[at]!) - (k === chosen[item] ? 1 : 0));
        }
      }
      return [tensorOf(logProbability.dtype, logProbability.shape, out)];
    };
  },
};

function layoutOf(scores: NumericTensor): { readonly classes: number; readonly inner: number } {
  return { classes: scores.shape[1]!, inner: elementCount(scores.shape.slice(2)) };
}

interface LabelWeights {
  readonly labels: NumericTensor;
  readonly classes: number;
  /** One weight a class. */
  readonly given: NumericTensor | undefined;
}

/** The weight of every label, 0 where it is ignored, and their sum. */
function weightsOf(
  { attributes, fail }: KernelContext,
  { labels, classes, given }: LabelWeights,
): { readonly weights: Float64Array; readonly total: number } {
  const ignored = attributes.has("ignore_index") ? attributes.int("ignore_index") : undefined;
  const ofClass: Numbers | undefined = given && numbersOf(given);
  const weights = Float64Array.from(numbersOf(labels), (label) => {
    if (label === ignored) return 0;
    if (label < 0 || label >= classes) fail(`label ${label} is outside the ${classes} classes`);
    return ofClass ? ofClass[label]! : 1;
  });
  return { weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
}
