import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names. `weightDecay` is decoupled: a step also takes rate times this times the parameter off it; default 0. */
export interface LionOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
}

/**
 * Steps of one size along the sign of an interpolated momentum: one slot, rates 3 to 10 times smaller than AdamW's. Default 1e-4.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see X. Chen et al., Symbolic discovery of optimization algorithms (2023)
 */
export function lion({ learningRate = 1e-4, beta1 = 0.9, beta2 = 0.99, ...options }: LionOptions = {}): Optimizer {
  checkRange("lion", { beta1, beta2 }, 1);
  return createOptimizer({
    name: "lion",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { beta1, beta2 },
    options,
    write(group) {
      writeFused(group, { operator: "Lion", slots: ["v"], attributes: { alpha: beta1, beta: beta2, weight_decay: group.weightDecay } });
    },
  });
}
