import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names and defaults. `weightDecay` is L2 regularisation: this times the parameter is added to its gradient, as in PyTorch's `Adam(weight_decay)`. */
export interface AdamOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Divides by the largest mean square so far instead of the present one. Default false. */
  readonly amsgrad?: boolean;
}

/**
 * Adam: steps scaled by running means of the gradient and of its square. One node for all parameters.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see D. P. Kingma, J. Ba, Adam: a method for stochastic optimization (2015)
 * @see S. J. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond (2018), for amsgrad
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html
 */
export function adam({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = false, ...options }: AdamOptions = {}): Optimizer {
  checkRange("adam", { epsilon }, Infinity);
  checkRange("adam", { beta1, beta2 }, 1);
  return createOptimizer({
    name: "adam",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { beta1, beta2, epsilon, ...(amsgrad && { amsgrad }) },
    options,
    write(group) {
      const attributes = { alpha: beta1, beta: beta2, epsilon, norm_coefficient: group.weightDecay };
      if (amsgrad) writeFused(group, { operator: "AdamW", slots: ["v", "h", "m"], attributes: { ...attributes, amsgrad: 1 } });
      else writeFused(group, { operator: "Adam", slots: ["v", "h"], attributes: { ...attributes, norm_coefficient_post: 0 } });
    },
  });
}
