import type { Value } from "../../operators/operator.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange, slots } from "./slots.ts";

/** Keras's argument names and defaults, but for `weightDecay`. */
export interface SgdOptions {
  readonly learningRate?: number;
  readonly momentum?: number;
  /** Looks ahead along the momentum before stepping. */
  readonly nesterov?: boolean;
  /** L2 regularisation, as for `adam`. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum: v = momentum v + g; x = x - rate v. One node for all parameters.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html
 */
export function sgd({ learningRate = 0.01, momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  checkRange("sgd", { learningRate, weightDecay }, Infinity);
  checkRange("sgd", { momentum }, 1);
  return {
    name: "sgd",
    config: { learningRate, momentum, nesterov, weightDecay },
    learningRate,
    apply({ builder, parameters, gradients, learningRate: rate, step }) {
      const velocities = slots(builder, "momentum/v", parameters);
      const outputs = builder.ops("Momentum", [rate, step, ...parameters, ...gradients, ...velocities], 2 * parameters.length, {
        alpha: momentum,
        beta: 1, // how much of the gradient enters: all of it, as in PyTorch and Keras
        mode: nesterov ? "nesterov" : "standard",
        norm_coefficient: weightDecay,
      });
      [...parameters, ...velocities].forEach((state, i) => builder.update(state.name, outputs[i] as Value)); // two outputs a parameter were asked for
    },
  };
}
