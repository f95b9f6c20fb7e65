import { formula } from "./formula.ts";
import type { Operator } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer } from "./optimizer-node.ts";

/**
 * Follow the regularised leader, for sparse linear models: R, T, X.., G.., N.., Z.. to X'.., N'.., Z'..
 *
 * N starts at 0 and stands for N + `initial`. N' = N + G^2; Z' = Z + G + 2 l2_shrinkage X - (sqrt(N') - sqrt(N)) X / R;
 * X' = (clip(Z', -l1, l1) - Z') / ((sqrt(N') + beta) / R + 2 l2).
 * @see H. B. McMahan et al., Ad click prediction: a view from the trenches (2013)
 */
export const ftrl: Operator = {
  name: "Ftrl",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    initial: { kind: "float", default: 0.1 },
    l1: { kind: "float", default: 0 },
    l2: { kind: "float", default: 0 },
    l2_shrinkage: { kind: "float", default: 0 },
    beta: { kind: "float", default: 0 },
  },
  infer: (context) => inferOptimizer(context, 2),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, div, max, min, square, sqrt } = formula(emit);
    const [initial, l1] = [attributes.float("initial"), attributes.float("l1")];
    return lowerOptimizer(context, 2, ({ x, g, slots: [n = x, z = x] }) => {
      const rate = inType(emit, input(0), x);
      const nextN = add(n, square(g));
      const root = sqrt(add(nextN, initial));
      const pull = mul(div(sub(root, sqrt(add(n, initial))), rate), x);
      const nextZ = sub(add(add(z, g), mul(x, 2 * attributes.float("l2_shrinkage"))), pull);
      const kept = sub(max(min(nextZ, l1), -l1), nextZ);
      return [div(kept, add(div(add(root, attributes.float("beta")), rate), 2 * attributes.float("l2"))), nextN, nextZ];
    });
  },
};
