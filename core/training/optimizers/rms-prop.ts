import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names, PyTorch's meaning; `weightDecay` is L2 regularisation, as for `adam`. */
export interface RmsPropOptions extends OptimizerOptions {
  /** How much of the mean square is kept; default 0.9. */
  readonly rho?: number;
  readonly momentum?: number;
  /** Added to the root; default 1e-8, as in PyTorch (Keras adds its own below the root). */
  readonly epsilon?: number;
  /** Divides by the deviation instead of the mean square's root. Default false. */
  readonly centered?: boolean;
}

/**
 * Steps scaled by a running mean of the squared gradient.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
 */
export function rmsProp({
  learningRate = 0.001,
  rho = 0.9,
  momentum = 0,
  epsilon = 1e-8,
  centered = false,
  ...options
}: RmsPropOptions = {}): Optimizer {
  checkRange("rmsProp", { epsilon }, Infinity);
  checkRange("rmsProp", { rho, momentum }, 1);
  return createOptimizer({
    name: "rmsProp",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { rho, momentum, epsilon, centered },
    options,
    write(group) {
      writeFused(group, {
        operator: "RMSprop",
        slots: ["h", ...(centered ? ["a"] : []), ...(momentum === 0 ? [] : ["b"])],
        attributes: { rho, momentum, epsilon, centered: centered ? 1 : 0, norm_coefficient: group.weightDecay },
      });
    },
  });
}
