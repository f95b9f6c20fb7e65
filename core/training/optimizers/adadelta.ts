import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names; `weightDecay` is L2 regularisation, as for `adam`. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** How much of the running means is kept; default 0.95. */
  readonly rho?: number;
  /** Added below the roots: the first steps' size; default 1e-6, as in the paper. */
  readonly epsilon?: number;
}

/**
 * Steps in the parameter's own unit, without a rate to choose: it is 1 by default, as in the paper and PyTorch (Keras has 0.001).
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see M. D. Zeiler, ADADELTA: an adaptive learning rate method (2012)
 */
export function adadelta({ learningRate = 1, rho = 0.95, epsilon = 1e-6, ...options }: AdadeltaOptions = {}): Optimizer {
  checkRange("adadelta", { epsilon }, Infinity);
  checkRange("adadelta", { rho }, 1);
  return createOptimizer({
    name: "adadelta",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { rho, epsilon },
    options,
    write(group) {
      writeFused(group, { operator: "Adadelta", slots: ["h", "d"], attributes: { rho, epsilon, norm_coefficient: group.weightDecay } });
    },
  });
}
