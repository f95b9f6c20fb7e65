import { formula } from "./formula.ts";
import type { Operator } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer } from "./optimizer-node.ts";

/**
 * Exponential moving averages of values: R, T, A.., X.. to A'.., where A' = A + R (X - A), and A' = X while T is at most `start`.
 *
 * @see B. T. Polyak, A. B. Juditsky, Acceleration of stochastic approximation by averaging (1992)
 */
export const movingAverage: Operator = {
  name: "MovingAverage",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: { start: { kind: "int", default: 1 } },
  infer: (context) => inferOptimizer(context, 0),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, where, greater } = formula(emit);
    const isLater = greater(input(1), attributes.int("start"));
    return lowerOptimizer(context, 0, ({ x: average, g: value }) => [
      where(isLater, add(average, mul(sub(value, average), inType(emit, input(0), average))), value),
    ]);
  },
};
