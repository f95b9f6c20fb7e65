import * as tf from "@tensorflow/tfjs-core";
import { hostNumber } from "./gather.ts";
import type { KernelContext, Kernels } from "./kernel.ts";

/** Optimizers: one node over all parameters. Inputs R, T, X1.., G1.., V1.. (, H1..); outputs X1'.., V1'.. (, H1'..). */
export const optimizers: Kernels = {
  Adam: { run: adam },
  Momentum: { run: momentum },
};

/** @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html */
function adam(context: KernelContext): readonly tf.Tensor[] {
  const { attributes } = context;
  const [alpha, beta, epsilon] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("epsilon")];
  const rate = correctedRate(context, { alpha, beta });
  const keepAfter = 1 - attributes.float("norm_coefficient_post");
  const updated = parameters(context, 4).map(([x, g, v, h]) => {
    const gradient = regularised(context, x, g);
    const first = tf.add(tf.mul(v, alpha), tf.mul(gradient, 1 - alpha));
    const second = tf.add(tf.mul(h, beta), tf.mul(tf.square(gradient), 1 - beta));
    const next = tf.sub(x, tf.mul(tf.div(first, tf.add(tf.sqrt(second), epsilon)), rate));
    return [keepAfter === 1 ? next : tf.mul(next, keepAfter), first, second];
  });
  return byRole(updated, 3);
}

/** R sqrt(1 - beta^T) / (1 - alpha^T). In float32 1 - beta^T loses its digits, so the host computes it wherever it knows R and T. */
function correctedRate({ host, input }: KernelContext, { alpha, beta }: { alpha: number; beta: number }): tf.Tensor {
  const step = hostNumber(host(1));
  if (step === undefined) {
    const t = tf.cast(input(1), "float32");
    const corrected = tf.div(tf.mul(input(0), tf.sqrt(tf.sub(1, tf.pow(tf.scalar(beta), t)))), tf.sub(1, tf.pow(tf.scalar(alpha), t)));
    return tf.where(tf.greater(t, 0), tf.reshape(corrected, []), tf.reshape(input(0), []));
  }
  const correction = step > 0 ? Math.sqrt(1 - beta ** step) / (1 - alpha ** step) : 1;
  const rate = hostNumber(host(0));
  return rate === undefined ? tf.mul(tf.reshape(input(0), []), correction) : tf.scalar(rate * correction);
}

/** @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html */
function momentum(context: KernelContext): readonly tf.Tensor[] {
  const { attributes, host, input } = context;
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  const step = hostNumber(host(1));
  const later = step === undefined ? tf.greater(tf.reshape(input(1), []), tf.scalar(0, "int32")) : step > 0;
  // The very first step takes the whole gradient.
  const share = typeof later === "boolean" ? tf.scalar(later ? beta : 1) : tf.where(later, tf.scalar(beta), tf.scalar(1));
  const rate = tf.reshape(input(0), []);
  const nesterov = attributes.string("mode") === "nesterov";
  const updated = parameters(context, 3).map(([x, g, v]) => {
    const gradient = regularised(context, x, g);
    const velocity = tf.add(tf.mul(v, alpha), tf.mul(gradient, share));
    const direction = nesterov ? tf.add(gradient, tf.mul(velocity, alpha)) : velocity;
    return [tf.sub(x, tf.mul(direction, rate)), velocity];
  });
  return byRole(updated, 2);
}

function regularised({ attributes }: KernelContext, x: tf.Tensor, g: tf.Tensor): tf.Tensor {
  const coefficient = attributes.float("norm_coefficient");
  return coefficient === 0 ? g : tf.add(g, tf.mul(x, coefficient));
}

type Slots = readonly [x: tf.Tensor, g: tf.Tensor, v: tf.Tensor, h: tf.Tensor];

/** Inputs after R and T, one group for each parameter. */
function parameters({ inputs, input }: KernelContext, roles: 3 | 4): readonly Slots[] {
  const count = (inputs.length - 2) / roles;
  return Array.from({ length: count }, (_, i) => {
    const at = (role: number): tf.Tensor => input(2 + Math.min(role, roles - 1) * count + i);
    return [at(0), at(1), at(2), at(3)];
  });
}

/** All first results, then all second ones ... */
function byRole(updated: readonly (readonly tf.Tensor[])[], roles: number): readonly tf.Tensor[] {
  return Array.from({ length: roles }, (_, role) => updated.map((results) => results[role] as tf.Tensor)).flat(); // as many results as roles
}
