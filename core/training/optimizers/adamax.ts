import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names and defaults; `weightDecay` is L2 regularisation, as for `adam`. */
export interface AdamaxOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * Adam scaled by the largest gradient, which fades, in place of the mean square.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see D. P. Kingma, J. Ba, Adam: a method for stochastic optimization (2015), section 7.1
 */
export function adamax({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, ...options }: AdamaxOptions = {}): Optimizer {
  checkRange("adamax", { epsilon }, Infinity);
  checkRange("adamax", { beta1, beta2 }, 1);
  return createOptimizer({
    name: "adamax",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { beta1, beta2, epsilon },
    options,
    write(group) {
      const attributes = { alpha: beta1, beta: beta2, epsilon, norm_coefficient: group.weightDecay };
      writeFused(group, { operator: "Adamax", slots: ["v", "u"], attributes });
    },
  });
}
