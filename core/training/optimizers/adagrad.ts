import { formula } from "../../operators/formula.ts";
import type { Value } from "../../operators/operator.ts";
import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import type { GroupContext } from "./parameter-group.ts";
import { checkRange, slots } from "./slots.ts";

/** Keras's argument names, PyTorch's meaning; `weightDecay` is L2 regularisation, as for `adam`. */
export interface AdagradOptions extends OptimizerOptions {
  /** Added to the root; default 1e-10, as in PyTorch. */
  readonly epsilon?: number;
  /** Where the sum of squares starts; from 0, default 0, as in PyTorch (Keras has 0.1). */
  readonly initialAccumulatorValue?: number;
}

/**
 * Steps that shrink with the sum of the squared gradients: large for rare features.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning and stochastic optimization (2011)
 */
export function adagrad({ learningRate = 0.01, epsilon = 1e-10, initialAccumulatorValue = 0, ...options }: AdagradOptions = {}): Optimizer {
  checkRange("adagrad", { epsilon, initialAccumulatorValue }, Infinity);
  return createOptimizer({
    name: "adagrad",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { epsilon, ...(initialAccumulatorValue > 0 && { initialAccumulatorValue }) },
    options,
    write(group) {
      if (initialAccumulatorValue > 0) writeRaised(group, { epsilon, initial: initialAccumulatorValue });
      else writeFused(group, { operator: "Adagrad", slots: ["h"], attributes: { decay_factor: 0, epsilon, norm_coefficient: group.weightDecay } });
    },
  });
}

/** The update with a first sum, which ONNX's operator has not: slots start at 0 and stand for what is above it. */
function writeRaised(
  { builder, parameters, gradients, learningRate, weightDecay }: GroupContext,
  { epsilon, initial }: { readonly epsilon: number; readonly initial: number },
): void {
  const { add, sub, mul, div, square, sqrt } = formula(builder);
  const sums = slots(builder, "adagrad/h", parameters);
  parameters.forEach((x, i) => {
    const [gradient, sum] = [gradients[i], sums[i]] as [Value, Value]; // the lists run in parallel
    const g = weightDecay === 0 ? gradient : add(gradient, mul(x, weightDecay));
    const next = add(sum, square(g));
    builder.update(x.name, sub(x, div(mul(learningRate, g), add(sqrt(add(next, initial)), epsilon))));
    builder.update(sum.name, next);
  });
}
