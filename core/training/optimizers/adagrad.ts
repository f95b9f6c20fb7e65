import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names, PyTorch's meaning; `weightDecay` is L2 regularisation, as for `adam`. */
export interface AdagradOptions extends OptimizerOptions {
  /** Added to the root; default 1e-10, as in PyTorch. */
  readonly epsilon?: number;
}

/**
 * Steps that shrink with the sum of the squared gradients: large for rare features. The sum starts at 0.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning and stochastic optimization (2011)
 */
export function adagrad({ learningRate = 0.01, epsilon = 1e-10, ...options }: AdagradOptions = {}): Optimizer {
  checkRange("adagrad", { epsilon }, Infinity);
  return createOptimizer({
    name: "adagrad",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { epsilon },
    options,
    write(group) {
      writeFused(group, { operator: "Adagrad", slots: ["h"], attributes: { decay_factor: 0, epsilon, norm_coefficient: group.weightDecay } });
    },
  });
}
