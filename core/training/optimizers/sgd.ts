import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names and defaults; `weightDecay` is L2 regularisation, as for `adam`. */
export interface SgdOptions extends OptimizerOptions {
  readonly momentum?: number;
  /** Looks ahead along the momentum before stepping. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent with momentum: v = momentum v + g; x = x - rate v. One node for all parameters.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html
 */
export function sgd({ learningRate = 0.01, momentum = 0, nesterov = false, ...options }: SgdOptions = {}): Optimizer {
  checkRange("sgd", { momentum }, 1);
  return createOptimizer({
    name: "sgd",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { momentum, nesterov },
    options,
    write(group) {
      writeFused(group, {
        operator: "Momentum",
        slots: ["v"],
        // beta: how much of the gradient enters: all of it, as in PyTorch and Keras
        attributes: { alpha: momentum, beta: 1, mode: nesterov ? "nesterov" : "standard", norm_coefficient: group.weightDecay },
      });
    },
  });
}
