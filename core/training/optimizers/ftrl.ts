import { createOptimizer, writeFused, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names and defaults; it has penalties of its own and no `weightDecay`. The power of the rate is -1/2. */
export interface FtrlOptions extends Omit<OptimizerOptions, "weightDecay"> {
  /** Above 0. */
  readonly initialAccumulatorValue?: number;
  /** Makes weights exactly zero. */
  readonly l1RegularizationStrength?: number;
  readonly l2RegularizationStrength?: number;
  /** L2 by the gradient, where `l2RegularizationStrength` is by the solution. */
  readonly l2ShrinkageRegularizationStrength?: number;
  readonly beta?: number;
}

/**
 * Follow the regularised leader: for wide sparse linear models.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see H. B. McMahan et al., Ad click prediction: a view from the trenches (2013)
 */
export function ftrl({
  learningRate = 0.001,
  initialAccumulatorValue = 0.1,
  l1RegularizationStrength = 0,
  l2RegularizationStrength = 0,
  l2ShrinkageRegularizationStrength = 0,
  beta = 0,
  ...options
}: FtrlOptions = {}): Optimizer {
  const strengths = { l1RegularizationStrength, l2RegularizationStrength, l2ShrinkageRegularizationStrength, beta };
  checkRange("ftrl", strengths, Infinity);
  checkRange("ftrl", { initialAccumulatorValue, learningRate }, Infinity, { above: true });
  return createOptimizer({
    name: "ftrl",
    learningRate,
    config: { initialAccumulatorValue, ...strengths },
    options,
    write(group) {
      writeFused(group, {
        operator: "Ftrl",
        slots: ["n", "z"],
        attributes: {
          initial: initialAccumulatorValue,
          l1: l1RegularizationStrength,
          l2: l2RegularizationStrength,
          l2_shrinkage: l2ShrinkageRegularizationStrength,
          beta,
        },
      });
    },
  });
}
