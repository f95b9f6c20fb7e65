import * as tf from "@tensorflow/tfjs-core";
import { constantInts, fromFront, type Kernel, type KernelContext, type Kernels } from "./kernel.ts";

/** Reductions over axes, and the two softmaxes. */
export const reductions: Kernels = {
  ReduceSum: reduction(tf.sum),
  ReduceMean: reduction(tf.mean),
  ReduceMax: reduction(tf.max),
  ReduceMin: reduction(tf.min),
  ArgMax: { run: argMax },
  Softmax: { run: (context) => alongLast(context, (x) => tf.softmax(x)) },
  LogSoftmax: { run: (context) => alongLast(context, logSoftmax) },
};

function reduction(operation: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor): Kernel {
  return {
    run(context) {
      const x = context.input(0);
      const axes = reducedAxes(context);
      if (axes.length === 0) return tf.clone(x);
      const result = operation(x, axes, context.attributes.int("keepdims") === 1);
      return result.dtype === x.dtype ? result : tf.cast(result, x.dtype);
    },
  };
}

function reducedAxes(context: KernelContext): number[] {
  const rank = context.inputType(0).shape.length;
  const given = constantInts(context, 1) ?? [];
  if (given.length > 0) return given.map((axis) => fromFront(axis, rank));
  return context.attributes.int("noop_with_empty_axes") === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** The first of equal ones, or the last with `select_last_index`. */
function argMax({ input, attributes, outputType }: KernelContext): tf.Tensor {
  const x = input(0);
  const axis = fromFront(attributes.int("axis"), x.rank);
  const last = attributes.int("select_last_index") === 1;
  const place = tf.argMax(last ? tf.reverse(x, axis) : x, axis);
  return tf.reshape(last ? tf.sub(tf.scalar((x.shape[axis] ?? 1) - 1, "int32"), place) : place, [...outputType.shape]);
}

function alongLast({ input, attributes }: KernelContext, operation: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const x = input(0);
  const axis = fromFront(attributes.int("axis"), x.rank);
  if (axis === x.rank - 1) return operation(x);
  const swapped = Array.from({ length: x.rank }, (_, i) => (i === axis ? x.rank - 1 : i === x.rank - 1 ? axis : i));
  return tf.transpose(operation(tf.transpose(x, swapped)), swapped);
}

/** tf.logSoftmax has no wasm kernel. */
export function logSoftmax(x: tf.Tensor): tf.Tensor {
  const centred = tf.sub(x, tf.max(x, -1, true));
  return tf.sub(centred, tf.log(tf.sum(tf.exp(centred), -1, true)));
}
