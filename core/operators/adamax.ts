import { formula } from "./formula.ts";
import type { Operator } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer, oneMinusPower, regularized } from "./optimizer-node.ts";

/**
 * Adam by the largest gradient in place of the mean square: R, T, X.., G.., V.., U.. to X'.., V'.., U'..
 *
 * V' = alpha V + (1 - alpha) G, U' = max(beta U, |G|), X' = X - R / (1 - alpha^T) V' / (U' + epsilon).
 * @see D. P. Kingma, J. Ba, Adam: a method for stochastic optimization (2015), section 7.1
 */
export const adamax: Operator = {
  name: "Adamax",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    alpha: { kind: "float", default: 0.9 },
    beta: { kind: "float", default: 0.999 },
    epsilon: { kind: "float", default: 1e-7 },
    norm_coefficient: { kind: "float", default: 0 },
  },
  infer: (context) => inferOptimizer(context, 2),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, div, max, abs } = formula(emit);
    const [alpha, beta] = [attributes.float("alpha"), attributes.float("beta")];
    const rate = div(input(0), oneMinusPower(emit, alpha, inType(emit, input(1), input(0))));
    return lowerOptimizer(context, 2, (parameter) => {
      const { x } = parameter;
      const [v = x, u = x] = parameter.slots;
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const nextV = add(mul(v, alpha), mul(g, 1 - alpha));
      const nextU = max(mul(u, beta), abs(g));
      return [sub(x, div(mul(inType(emit, rate, x), nextV), add(nextU, attributes.float("epsilon")))), nextV, nextU];
    });
  },
};
