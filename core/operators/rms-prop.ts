import { formula } from "./formula.ts";
import type { Operator } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer, regularized } from "./optimizer-node.ts";

/**
 * Steps scaled by a running mean of the squared gradient: R, T, X.., G.., H.., [A.. when `centered` is 1], [B.. when `momentum` is not 0] to X' and the new slots.
 *
 * H' = rho H + (1 - rho) G^2, A' = rho A + (1 - rho) G, D = G / (sqrt(H' - A'^2) + epsilon), B' = momentum B + D, X' = X - R B'.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
 */
export const rmsProp: Operator = {
  name: "RMSprop",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    rho: { kind: "float", default: 0.9 },
    momentum: { kind: "float", default: 0 },
    epsilon: { kind: "float", default: 1e-7 },
    centered: { kind: "int", default: 0 },
    norm_coefficient: { kind: "float", default: 0 },
  },
  infer: (context) => inferOptimizer(context, slotsOf(context.attributes)),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, div, max, square, sqrt } = formula(emit);
    const [rho, momentum] = [attributes.float("rho"), attributes.float("momentum")];
    const centered = attributes.int("centered") === 1;
    return lowerOptimizer(context, slotsOf(attributes), (parameter) => {
      const { x, slots } = parameter;
      const [h = x] = slots;
      const a = centered ? slots[1] : undefined;
      const b = momentum === 0 ? undefined : slots.at(-1);
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const nextH = add(mul(h, rho), mul(square(g), 1 - rho));
      const nextA = a && add(mul(a, rho), mul(g, 1 - rho));
      // Rounding may leave a variance just below zero.
      const variance = nextA ? max(sub(nextH, square(nextA)), 0) : nextH;
      const direction = div(g, add(sqrt(variance), attributes.float("epsilon")));
      const nextB = b && add(mul(b, momentum), direction);
      return [sub(x, mul(inType(emit, input(0), x), nextB ?? direction)), nextH, ...(nextA ? [nextA] : []), ...(nextB ? [nextB] : [])];
    });
  },
};

function slotsOf(attributes: { int(name: string): number; float(name: string): number }): number {
  return 1 + attributes.int("centered") + (attributes.float("momentum") === 0 ? 0 : 1);
}
