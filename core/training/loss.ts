import { EspalierError } from "../errors.ts";
import { formatShape, type Dimension } from "../graph/graph.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { tensor, type DType, type Tensor } from "../tensor.ts";

/** What is minimised: how a model's output and the labels become one number. */
export interface Loss {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The model's output that it reads. */
  readonly output: "logits" | "prediction";
  /** The labels that go with an output. @param output the output's value @throws GRAPH_SHAPE when the output has another rank */
  labels(output: Value): { readonly dtype: DType; readonly shape: readonly Dimension[] };
  /** Writes the loss: a float32 scalar, the mean over the batch. */
  build(emit: Emitter, output: Value, labels: Value): Value;
  /**
   * Refuses labels that the output cannot stand for, before a run sees them.
   *
   * @param units the size of the output's last dimension
   * @param place what to call the batch: "batch 3 of epoch 1"
   * @throws TARGET_INVALID naming the row, the label and what would fit
   */
  check(labels: Tensor, units: number, place: string): void;
}

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
    build(emit, output, labels) {
      const weights = classWeights === undefined ? undefined : emit.constant(tensor("float32", [classWeights.length], classWeights));
      const hard = emit.op("SoftmaxCrossEntropyLoss", [output, labels, weights], { reduction: "mean" });
      if (labelSmoothing === 0) return hard;
      const even = emit.op("ReduceMean", [emit.op("LogSoftmax", [output], { axis: -1 })], { keepdims: 0 });
      return emit.op("Sub", [
        emit.op("Mul", [hard, emit.scalar(1 - labelSmoothing, "float32")]),
        emit.op("Mul", [even, emit.scalar(labelSmoothing, "float32")]),
      ]);
    },
    check: checkClasses,
  };
}

/**
 * Mean of (prediction - label)^2. Labels are float32 [batch, 1], as the prediction.
 *
 * @see https://keras.io/api/losses/regression_losses/#meansquarederror-class
 */
export function meanSquaredError(): Loss {
  return {
    name: "meanSquaredError",
    config: {},
    output: "prediction",
    labels: (output) => ({ dtype: "float32", shape: rankTwo(output, "meanSquaredError") }),
    build(emit, output, labels) {
      const difference = emit.op("Sub", [output, labels]);
      return emit.op("ReduceMean", [emit.op("Mul", [difference, difference])], { keepdims: 0 });
    },
    check: checkFinite,
  };
}

function rankTwo(output: Value, loss: string): readonly [batch: Dimension, units: number] {
  const [batch, units] = output.shape;
  if (output.shape.length === 2 && batch !== undefined && typeof units === "number") return [batch, units];
  throw new EspalierError(
    "GRAPH_SHAPE",
    `${loss}: the model's output must be [batch, units], not ${formatShape(output.shape)}; end it in a dense layer`,
    {
      shape: output.shape,
    },
  );
}

function checkClasses(labels: Tensor, units: number, place: string): void {
  const values = labels.data as Int32Array; // the feed's dtype is checked by the run; another typed array compares alike
  for (let row = 0; row < values.length; row++) {
    const label = values[row] as number; // row is below the length
    if (label >= 0 && label < units) continue;
    throw new EspalierError(
      "TARGET_INVALID",
      label < 0
        ? `fit: row ${row} of ${place} has label ${label}; labels are from 0 to ${units - 1}; encode the target's classes first`
        : `fit: row ${row} of ${place} has label ${label}, so there are at least ${label + 1} classes, but the model ends in ${units} units; set units to ${label + 1} or check the target column`,
      { row, label, units },
    );
  }
}

function checkFinite(labels: Tensor, _units: number, place: string): void {
  const values = labels.data as Float32Array; // as above
  for (let row = 0; row < values.length; row++) {
    if (Number.isFinite(values[row])) continue;
    throw new EspalierError("TARGET_INVALID", `fit: row ${row} of ${place} has label ${values[row]}; drop rows without a finite target`, {
      row,
      label: values[row],
    });
  }
}
