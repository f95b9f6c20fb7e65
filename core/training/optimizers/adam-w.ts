import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import type { GroupContext } from "./parameter-group.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names and defaults. `weightDecay` is decoupled: a step also takes rate times this times the parameter off it; default 0.004. */
export interface AdamWOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Divides by the largest mean square so far instead of the present one. Default false. */
  readonly amsgrad?: boolean;
}

/**
 * Adam with weight decay beside the gradient, not in it. One node for all parameters.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see I. Loshchilov, F. Hutter, Decoupled weight decay regularization (2019)
 */
export function adamW({
  learningRate = 0.001,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-7,
  amsgrad = false,
  ...options
}: AdamWOptions = {}): Optimizer {
  checkRange("adamW", { epsilon }, Infinity);
  checkRange("adamW", { beta1, beta2 }, 1);
  return createOptimizer({
    name: "adamW",
    learningRate,
    weightDecay: options.weightDecay ?? 0.004,
    config: { beta1, beta2, epsilon, ...(amsgrad && { amsgrad }) },
    options,
    write: (group) => writeAdamW(group, { beta1, beta2, epsilon, amsgrad }),
  });
}

/** AdamW's update of a group, also for what other optimizers leave to it. */
export function writeAdamW(
  group: GroupContext,
  {
    beta1,
    beta2,
    epsilon,
    amsgrad = false,
  }: { readonly beta1: number; readonly beta2: number; readonly epsilon: number; readonly amsgrad?: boolean },
): void {
  writeFused(group, {
    operator: "AdamW",
    slots: amsgrad ? ["v", "h", "m"] : ["v", "h"],
    attributes: { alpha: beta1, beta: beta2, epsilon, weight_decay: group.weightDecay, ...(amsgrad && { amsgrad: 1 }) },
  });
}
