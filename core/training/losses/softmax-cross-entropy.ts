import { EspalierError } from "../../errors.ts";
import { tensor } from "../../tensor.ts";
import { checkClasses, rankTwo } from "./labels.ts";
import type { Loss } from "./loss.ts";
import { meanOfRows } from "./mean-of-rows.ts";

/** How classes are weighted and how sure the labels are. */
export interface SoftmaxCrossEntropyOptions {
  /** One weight a class, in label order; the loss is then the weighted mean. Default: all 1. */
  readonly classWeights?: readonly number[];
  /** This much of each label is spread evenly over all classes; 0 to below 1, default 0. */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy between class labels and the softmax of `logits`: -log softmax(logits)[label], averaged.
 *
 * Labels are int32 [batch], from 0 to classes - 1; logits are [batch, classes].
 *
 * @throws ARGUMENT_INVALID for a smoothing outside [0, 1) or a weight that is not a number from 0
 * @see https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html
 */
export function softmaxCrossEntropy({ classWeights, labelSmoothing = 0 }: SoftmaxCrossEntropyOptions = {}): Loss {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new EspalierError("ARGUMENT_INVALID", `softmaxCrossEntropy: labelSmoothing must be from 0 to below 1, not ${labelSmoothing}`, {
      labelSmoothing,
    });
  }
  if (classWeights?.some((weight) => !(weight >= 0 && Number.isFinite(weight)))) {
    throw new EspalierError("ARGUMENT_INVALID", `softmaxCrossEntropy: class weights must be numbers from 0, not [${classWeights.join(", ")}]`, {
      classWeights,
    });
  }
  return {
    name: "softmaxCrossEntropy",
    config: { classWeights, labelSmoothing },
    output: "logits",
    labels(output) {
      const [, units] = rankTwo(output, "softmaxCrossEntropy");
      if (classWeights !== undefined && classWeights.length !== units) {
        throw new EspalierError(
          "ARGUMENT_INVALID",
          `softmaxCrossEntropy: ${classWeights.length} class weights, but the model ends in ${units} units; give one a unit`,
          {
            classWeights,
            units,
          },
        );
      }
      return { dtype: "int32", shape: ["batch"] };
    },
    build(emit, output, labels, weights) {
      const ofClasses = classWeights === undefined ? undefined : emit.constant(tensor("float32", [classWeights.length], classWeights));
      const ofRows = weights && ofClasses ? emit.op("Mul", [weights, emit.op("Gather", [ofClasses, labels])]) : weights;
      const hard =
        ofRows === undefined
          ? emit.op("SoftmaxCrossEntropyLoss", [output, labels, ofClasses], { reduction: "mean" })
          : meanOfRows(emit, emit.op("SoftmaxCrossEntropyLoss", [output, labels], { reduction: "none" }), ofRows);
      if (labelSmoothing === 0) return hard;
      const even = meanOfRows(
        emit,
        emit.op("ReduceMean", [emit.op("LogSoftmax", [output], { axis: -1 }), emit.ints([-1])], { keepdims: 0 }),
        weights,
      );
      return emit.op("Sub", [
        emit.op("Mul", [hard, emit.scalar(1 - labelSmoothing, "float32")]),
        emit.op("Mul", [even, emit.scalar(labelSmoothing, "float32")]),
      ]);
    },
    check: checkClasses,
  };
}
