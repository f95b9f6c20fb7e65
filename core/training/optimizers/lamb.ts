import { formula } from "../../operators/formula.ts";
import { inType, oneMinusPower } from "../../operators/optimizer-node.ts";
import type { Value } from "../../operators/operator.ts";
import { createOptimizer, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange, slots } from "./slots.ts";

/** Keras's argument names and defaults. `weightDecay` times the parameter is added to Adam's direction before it is scaled, as in the paper; default 0. */
export interface LambOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * Adam's direction, for each parameter scaled to the parameter's own norm: for very large batches.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see Y. You et al., Large batch optimization for deep learning: training BERT in 76 minutes (2020)
 */
export function lamb({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, ...options }: LambOptions = {}): Optimizer {
  checkRange("lamb", { epsilon }, Infinity);
  checkRange("lamb", { beta1, beta2 }, 1);
  return createOptimizer({
    name: "lamb",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { beta1, beta2, epsilon },
    options,
    write({ builder, parameters, gradients, learningRate: rate, step, weightDecay }) {
      const { add, sub, mul, div, square, sqrt, sum, greater, where } = formula(builder);
      const steps = inType(builder, step, rate);
      const corrections = [oneMinusPower(builder, beta1, steps), oneMinusPower(builder, beta2, steps)] as const;
      const [means, squares] = [slots(builder, "lamb/v", parameters), slots(builder, "lamb/h", parameters)];
      const norm = (value: Value): Value => sqrt(sum(square(value)));
      parameters.forEach((x, i) => {
        const [g, v, h] = [gradients[i], means[i], squares[i]] as [Value, Value, Value]; // the lists run in parallel
        const nextV = add(mul(v, beta1), mul(g, 1 - beta1));
        const nextH = add(mul(h, beta2), mul(square(g), 1 - beta2));
        const adamDirection = div(div(nextV, corrections[0]), add(sqrt(div(nextH, corrections[1])), epsilon));
        const direction = weightDecay === 0 ? adamDirection : add(adamDirection, mul(x, weightDecay));
        const [length, step] = [norm(x), norm(direction)];
        const safe = where(greater(step, 0), step, 1);
        const trust = where(greater(length, 0), where(greater(step, 0), div(length, safe), 1), 1);
        builder.update(x.name, sub(x, mul(mul(rate, trust), direction)));
        builder.update(v.name, nextV);
        builder.update(h.name, nextH);
      });
    },
  });
}
