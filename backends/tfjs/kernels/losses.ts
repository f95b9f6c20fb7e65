import * as tf from "@tensorflow/tfjs-core";
import { checkedIndices } from "./gather.ts";
import type { KernelContext, Kernels } from "./kernel.ts";
import { logSoftmax } from "./reductions.ts";

/** Cross-entropy of softmax and its gradient. Classes are the second axis of [batch, classes, ...]. */
export const losses: Kernels = {
  SoftmaxCrossEntropyLoss: { run: crossEntropy },
  SoftmaxCrossEntropyLossGrad: { run: crossEntropyGrad },
};

/** What both directions compute from the labels. */
interface Targets {
  /** One-hot rows [places, classes]; a row of zeros where the label is ignored. */
  readonly rows: tf.Tensor2D;
  /** One weight a place: [places, 1]. */
  readonly weights: tf.Tensor;
}

function crossEntropy(context: KernelContext): readonly tf.Tensor[] {
  const { input, inputs, inputType, outputTypes, attributes } = context;
  const logProbabilities = logSoftmax(classesLast(input(0))); // [places, classes]
  const { rows, weights } = targets(context, { classes: inputType(0).shape[1] ?? 1, weights: inputs[2] });
  const each = tf.mul(tf.neg(tf.sum(tf.mul(logProbabilities, rows), 1, true)), weights); // [places, 1]
  const loss = ((): tf.Tensor => {
    switch (attributes.string("reduction")) {
      case "none":
        return tf.reshape(each, [...inputType(1).shape]);
      case "sum":
        return tf.sum(each);
      default:
        return tf.div(tf.sum(each), tf.sum(weights));
    }
  })();
  return outputTypes.length === 1 ? [loss] : [loss, classesSecond(logProbabilities, inputType(0).shape)];
}

/** d scores = (softmax - one-hot) weight dLoss, over the sum of weights for the mean. */
function crossEntropyGrad(context: KernelContext): tf.Tensor {
  const { input, inputs, inputType, attributes } = context;
  const { rows, weights } = targets(context, { classes: inputType(0).shape[1] ?? 1, weights: inputs[3] });
  const dLoss = attributes.string("reduction") === "none" ? tf.reshape(input(2), [-1, 1]) : tf.reshape(input(2), [1, 1]);
  const share = tf.mul(weights, attributes.string("reduction") === "mean" ? tf.div(dLoss, tf.sum(weights)) : dLoss); // [places, 1]
  const difference = tf.sub(tf.exp(classesLast(input(0))), rows);
  return classesSecond(tf.mul(difference, share), inputType(0).shape);
}

function targets(context: KernelContext, { classes, weights }: { classes: number; weights: tf.Tensor | undefined }): Targets {
  const { attributes } = context;
  const ignored = attributes.has("ignore_index") ? attributes.int("ignore_index") : undefined;
  const rule = { index: 1, size: classes, fromEnd: false, ...(ignored !== undefined && { except: ignored }) };
  const labels = tf.reshape<tf.Rank.R1>(checkedIndices(context, rule), [-1]); // [places]
  const oneHot = tf.cast(tf.oneHot(labels, classes), "float32") as tf.Tensor2D; // of a vector
  const counted = ignored === undefined ? undefined : tf.reshape(tf.cast(tf.notEqual(labels, tf.scalar(ignored, "int32")), "float32"), [-1, 1]);
  const rows = counted === undefined ? oneHot : tf.mul(oneHot, counted);
  if (weights !== undefined) return { rows: rows as tf.Tensor2D, weights: tf.sum(tf.mul(rows, tf.reshape(weights, [1, classes])), 1, true) };
  return { rows: rows as tf.Tensor2D, weights: counted ?? tf.ones([labels.size, 1]) };
}

/** [batch, classes, ...] as [places, classes]. */
function classesLast(x: tf.Tensor): tf.Tensor {
  const classes = x.shape[1] ?? 1;
  if (x.rank === 2) return x;
  const perm = [0, ...Array.from({ length: x.rank - 2 }, (_, i) => i + 2), 1];
  return tf.reshape(tf.transpose(x, perm), [-1, classes]);
}

/** The reverse of `classesLast`. */
function classesSecond(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const [batch = 1, classes = 1, ...others] = shape;
  if (shape.length === 2) return tf.clone(x);
  const perm = [0, shape.length - 1, ...others.map((_, i) => i + 1)];
  return tf.transpose(tf.reshape(x, [batch, ...others, classes]), perm);
}
