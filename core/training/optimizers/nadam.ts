import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names and defaults; `weightDecay` is L2 regularisation, as for `adam`. */
export interface NadamOptions extends OptimizerOptions {
  /** Below 0.9995. */
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** How fast the momentum grows to `beta1`: it is beta1 (1 - 0.96^(t momentumDecay) / 2). Default 0.004 as in the paper and PyTorch; Keras has 1. */
  readonly momentumDecay?: number;
}

/**
 * Adam with Nesterov's momentum.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see T. Dozat, Incorporating Nesterov momentum into Adam (2016)
 */
export function nadam({
  learningRate = 0.001,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-7,
  momentumDecay = 0.004,
  ...options
}: NadamOptions = {}): Optimizer {
  checkRange("nadam", { epsilon, momentumDecay }, Infinity);
  checkRange("nadam", { beta1 }, 0.9995);
  checkRange("nadam", { beta2 }, 1);
  return createOptimizer({
    name: "nadam",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { beta1, beta2, epsilon, momentumDecay },
    options,
    write(group) {
      const attributes = { alpha: beta1, beta: beta2, epsilon, norm_coefficient: group.weightDecay, momentum_decay: momentumDecay };
      writeFused(group, { operator: "Nadam", slots: ["v", "h"], attributes });
    },
  });
}
