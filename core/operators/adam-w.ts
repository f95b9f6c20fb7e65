import { formula } from "./formula.ts";
import type { Operator } from "./operator.ts";
import { correctedRate, inferOptimizer, inType, lowerOptimizer, regularized } from "./optimizer-node.ts";

/**
 * Adam with decoupled weight decay, and with the largest mean square so far when `amsgrad` is 1: R, T, X.., G.., V.., H.., [M..] to X'.., V'.., H'.., [M'..].
 *
 * V' and H' are Adam's; M' = max(M, H'); X' = X (1 - R weight_decay) - r V' / (sqrt(M' or H') + epsilon), with Adam's corrected rate r.
 * @see I. Loshchilov, F. Hutter, Decoupled weight decay regularization (2019)
 * @see S. J. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond (2018)
 */
export const adamW: Operator = {
  name: "AdamW",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    alpha: { kind: "float", default: 0.9 },
    beta: { kind: "float", default: 0.999 },
    epsilon: { kind: "float", default: 1e-7 },
    norm_coefficient: { kind: "float", default: 0 },
    weight_decay: { kind: "float", default: 0 },
    amsgrad: { kind: "int", default: 0 },
  },
  infer: (context) => inferOptimizer(context, 2 + context.attributes.int("amsgrad")),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, div, max, square, sqrt } = formula(emit);
    const [alpha, beta] = [attributes.float("alpha"), attributes.float("beta")];
    const rate = correctedRate(emit, { rate: input(0), step: input(1), alpha, beta });
    const kept = sub(1, mul(input(0), attributes.float("weight_decay")));
    const decays = attributes.float("weight_decay") !== 0;
    return lowerOptimizer(context, 2 + attributes.int("amsgrad"), (parameter) => {
      const { x } = parameter;
      const [v = x, h = x, m] = parameter.slots;
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const nextV = add(mul(v, alpha), mul(g, 1 - alpha));
      const nextH = add(mul(h, beta), mul(square(g), 1 - beta));
      const nextM = m && max(m, nextH);
      const change = div(mul(inType(emit, rate, x), nextV), add(sqrt(nextM ?? nextH), attributes.float("epsilon")));
      const nextX = sub(decays ? mul(x, inType(emit, kept, x)) : x, change);
      return nextM ? [nextX, nextV, nextH, nextM] : [nextX, nextV, nextH];
    });
  },
};
