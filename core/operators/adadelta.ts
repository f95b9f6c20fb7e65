import { formula } from "./formula.ts";
import type { Operator, Value } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer, regularized } from "./optimizer-node.ts";

/**
 * Steps in the unit of the parameter, from running means of squared gradients and squared steps: R, T, X.., G.., H.., D.. to X'.., H'.., D'..
 *
 * H' = rho H + (1 - rho) G^2, S = G sqrt(D + epsilon) / sqrt(H' + epsilon), D' = rho D + (1 - rho) S^2, X' = X - R S.
 * @see M. D. Zeiler, ADADELTA: an adaptive learning rate method (2012)
 */
export const adadelta: Operator = {
  name: "Adadelta",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    rho: { kind: "float", default: 0.95 },
    epsilon: { kind: "float", default: 1e-6 },
    norm_coefficient: { kind: "float", default: 0 },
  },
  infer: (context) => inferOptimizer(context, 2),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, div, square, sqrt } = formula(emit);
    const rho = attributes.float("rho");
    const root = (value: Value): Value => sqrt(add(value, attributes.float("epsilon")));
    return lowerOptimizer(context, 2, (parameter) => {
      const { x } = parameter;
      const [h = x, d = x] = parameter.slots;
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const nextH = add(mul(h, rho), mul(square(g), 1 - rho));
      const change = mul(g, div(root(d), root(nextH)));
      return [sub(x, mul(inType(emit, input(0), x), change)), nextH, add(mul(d, rho), mul(square(change), 1 - rho))];
    });
  },
};
