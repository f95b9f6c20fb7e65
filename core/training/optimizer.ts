import { EspalierError } from "../errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../operators/operator.ts";

/** What an optimizer writes its update from; the lists run in parallel. */
export interface OptimizerContext {
  readonly builder: GraphBuilder;
  readonly parameters: readonly Value[];
  readonly gradients: readonly Value[];
  /** float32 [], the graph's input `learning_rate`. */
  readonly learningRate: Value;
  /** int64 [], the graph's input `step`: 1 in the first run. */
  readonly step: Value;
}

/** How parameters move along their gradients. */
export interface Optimizer {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The rate that a constant schedule feeds. */
  readonly learningRate: number;
  /** Adds the update's nodes, its slots and the graph's updates. */
  apply(context: OptimizerContext): void;
}

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

function slots(builder: GraphBuilder, prefix: string, parameters: readonly Value[]): readonly Value[] {
  return parameters.map(({ name, dtype, shape }) => builder.state(`${prefix}/${name}`, dtype, shape as readonly number[], { role: "slot" })); // state has no batch dimension
}

function checkRange(where: string, values: Readonly<Record<string, number>>, limit: number): void {
  for (const [name, value] of Object.entries(values)) {
    if (value >= 0 && value < limit) continue;
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${where}: ${name} must be a number from 0${limit === Infinity ? "" : ` to below ${limit}`}, not ${value}`,
      { [name]: value },
    );
  }
}
