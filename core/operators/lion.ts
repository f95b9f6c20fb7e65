import { formula } from "./formula.ts";
import type { Operator } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer } from "./optimizer-node.ts";

/**
 * Steps of one size along the sign of an interpolated momentum: R, T, X.., G.., V.. to X'.., V'..
 *
 * X' = X (1 - R weight_decay) - R sign(alpha V + (1 - alpha) G), V' = beta V + (1 - beta) G.
 * @see X. Chen et al., Symbolic discovery of optimization algorithms (2023)
 */
export const lion: Operator = {
  name: "Lion",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    alpha: { kind: "float", default: 0.9 },
    beta: { kind: "float", default: 0.99 },
    weight_decay: { kind: "float", default: 0 },
  },
  infer: (context) => inferOptimizer(context, 1),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, sign } = formula(emit);
    const [alpha, beta, decay] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("weight_decay")];
    return lowerOptimizer(context, 1, ({ x, g, slots: [v = x] }) => {
      const direction = sign(add(mul(v, alpha), mul(g, 1 - alpha)));
      const change = decay === 0 ? direction : add(direction, mul(x, decay));
      return [sub(x, mul(inType(emit, input(0), x), change)), add(mul(v, beta), mul(g, 1 - beta))];
    });
  },
};
