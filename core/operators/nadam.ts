import { tensor } from "../tensor.ts";
import { formula } from "./formula.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer, oneMinusPower, regularized } from "./optimizer-node.ts";

/** Momenta from here on would need longer tables of their products. */
const largestAlpha = 0.9995;

/**
 * Adam with Nesterov's momentum, which grows with the steps: R, T, X.., G.., V.., H.. to X'.., V'.., H'..
 *
 * m_t = alpha (1 - 0.96^(t momentum_decay) / 2), P_t = m_1 m_2 .. m_t; V' and H' are Adam's;
 * X' = X - R (m_(T+1) V' / (1 - P_(T+1)) + (1 - m_T) G / (1 - P_T)) / (sqrt(H' / (1 - beta^T)) + epsilon). T is 1 in the first run.
 * @see T. Dozat, Incorporating Nesterov momentum into Adam (2016)
 */
export const nadam: Operator = {
  name: "Nadam",
  domain: "espalier",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    alpha: { kind: "float", default: 0.9 },
    beta: { kind: "float", default: 0.999 },
    epsilon: { kind: "float", default: 1e-7 },
    norm_coefficient: { kind: "float", default: 0 },
    momentum_decay: { kind: "float", default: 0.004 },
  },
  infer(context) {
    const alpha = context.attributes.float("alpha");
    if (!(alpha >= 0 && alpha <= largestAlpha)) context.fail(`alpha must be from 0 to ${largestAlpha}, not ${alpha}`);
    return inferOptimizer(context, 2);
  },
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, div, square, sqrt } = formula(emit);
    const [alpha, beta, decay] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("momentum_decay")];
    const steps = inType(emit, input(1), input(0));
    const grown = (t: Value): Value => mul(sub(1, mul(emit.op("Exp", [mul(t, Math.log(0.96) * decay)]), 0.5)), alpha);
    const [product, nextProduct] = productsAt(emit, nadamMomentumProducts(alpha, decay), { step: input(1), like: steps });
    const ofMean = div(mul(input(0), grown(add(steps, 1))), sub(1, nextProduct));
    const ofGradient = div(mul(input(0), sub(1, grown(steps))), sub(1, product));
    const correction = oneMinusPower(emit, beta, steps);
    return lowerOptimizer(context, 2, (parameter) => {
      const { x } = parameter;
      const [v = x, h = x] = parameter.slots;
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const nextV = add(mul(v, alpha), mul(g, 1 - alpha));
      const nextH = add(mul(h, beta), mul(square(g), 1 - beta));
      const root = add(sqrt(div(nextH, inType(emit, correction, x))), attributes.float("epsilon"));
      const direction = add(mul(nextV, inType(emit, ofMean, x)), mul(g, inType(emit, ofGradient, x)));
      return [sub(x, div(direction, root)), nextV, nextH];
    });
  },
};

/** m_1 m_2 .. m_t of Nadam for t = 1, 2, ...: until nothing of it is left beside 1. */
export function nadamMomentumProducts(alpha: number, decay: number): readonly number[] {
  const products: number[] = [];
  let product = 1;
  for (let t = 1; product > 1e-17; t += 1) {
    product *= alpha * (1 - 0.5 * 0.96 ** (t * decay));
    products.push(product);
  }
  return products;
}

/** P_T and P_(T+1), looked up. */
function productsAt(
  emit: Emitter,
  products: readonly number[],
  { step, like }: { readonly step: Value; readonly like: Value },
): readonly [Value, Value] {
  const table = emit.constant(tensor(like.dtype, [products.length + 2], [1, ...products, 0]));
  const at = (t: Value): Value => {
    const place = emit.op("Min", [emit.op("Max", [t, emit.scalar(0, "int64")]), emit.scalar(products.length + 1, "int64")]);
    return emit.op("Gather", [table, place]);
  };
  return [at(step), at(emit.op("Add", [step, emit.scalar(1, "int64")]))];
}
