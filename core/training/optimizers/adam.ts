import type { Value } from "../../operators/operator.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange, slots } from "./slots.ts";

/** Keras's argument names and defaults, but for `weightDecay`. */
export interface AdamOptions {
  readonly learningRate?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** L2 regularisation: this times the parameter is added to its gradient, as in PyTorch's `Adam(weight_decay)`. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Adam: steps scaled by running means of the gradient and of its square. One node for all parameters.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see D. P. Kingma, J. Ba, Adam: a method for stochastic optimization (2015)
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html
 */
export function adam({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 }: AdamOptions = {}): Optimizer {
  checkRange("adam", { learningRate, weightDecay, epsilon }, Infinity);
  checkRange("adam", { beta1, beta2 }, 1);
  return {
    name: "adam",
    config: { learningRate, beta1, beta2, epsilon, weightDecay },
    learningRate,
    apply({ builder, parameters, gradients, learningRate: rate, step }) {
      const means = slots(builder, "adam/v", parameters);
      const squares = slots(builder, "adam/h", parameters);
      const outputs = builder.ops("Adam", [rate, step, ...parameters, ...gradients, ...means, ...squares], 3 * parameters.length, {
        alpha: beta1,
        beta: beta2,
        epsilon,
        norm_coefficient: weightDecay,
        norm_coefficient_post: 0,
      });
      [...parameters, ...means, ...squares].forEach((state, i) => builder.update(state.name, outputs[i] as Value)); // three outputs a parameter were asked for
    },
  };
}
