import type { Node, ValueName } from "../../../core/index.ts";
import { planGeluGrad } from "../kernels/gelu-grad.ts";
import { biasedProduct } from "./biased-product.ts";
import type { Fused, Fusion, FusionContext } from "./fusion.ts";
import { isReadAfter, summedRows } from "./sums.ts";

/**
 * The gradient of x / 2 (1 + erf(x / sqrt(2))), which core writes by its lowering's derivative: dY (1 + erf(s)) / 2 + dY x / 2 2 / sqrt(pi) e^(-s s)
 * / sqrt(2). With the sum of it over all rows, when a row was added before.
 */
export const geluGrad: Fusion = {
  name: "GeluGrad",
  match(node, context) {
    const summed = summedRows(node, context);
    const gradient = summed === undefined ? node : context.producer(summed, "Add");
    const found = gradient && gradientOf(gradient, context);
    const [dx = "", sum] = [gradient?.outputs[0], summed === undefined ? undefined : node.outputs[0]];
    if (found === undefined || (sum !== undefined && !isReadAfter(dx, node, context))) return undefined;
    return fused(found, { dx, sum }, context);
  },
};

interface Gradient {
  readonly dy: ValueName;
  readonly x: ValueName;
}

function fused({ dy, x }: Gradient, { dx, sum }: { readonly dx: ValueName; readonly sum: ValueName | undefined }, context: FusionContext): Fused {
  const added = biasedProduct(x, context);
  return {
    inputs: added === undefined ? [dy, x] : [dy, added.product, added.bias],
    outputs: sum === undefined ? [dx] : [dx, sum],
    plan: ({ inputs }) => planGeluGrad(inputs, { bias: added !== undefined, sums: sum !== undefined }),
  };
}

/** dY and x of the nodes that end in an addition. */
function gradientOf(node: Node, context: FusionContext): Gradient | undefined {
  if (node.operator !== "Add") return undefined;
  for (const [through, direct] of pairs(node)) {
    const share = times(direct, 0.5, context);
    const rest = times(through, Math.SQRT1_2, context);
    const found = share !== undefined && rest !== undefined ? match({ share, rest }, context) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** share = dY (1 + erf(s)), rest = dY x / 2 times the slope of erf(s). */
function match({ share, rest }: { readonly share: ValueName; readonly rest: ValueName }, context: FusionContext): Gradient | undefined {
  const { producer, number } = context;
  for (const [dy, above] of pairs(producer(share, "Mul"))) {
    const s = pairs(producer(above, "Add")).flatMap(([erf, one]) => (number(one) === 1 ? (producer(erf, "Erf")?.inputs[0] ?? []) : []))[0];
    const x = s && times(s, Math.SQRT1_2, context);
    if (s === undefined || x === undefined) continue;
    const isRest = pairs(producer(rest, "Mul")).some(([half, slope]) => {
      const exponent = producer(producer(times(slope, 2 / Math.sqrt(Math.PI), context), "Exp")?.inputs[0], "Neg")?.inputs[0];
      const isSquare = producer(exponent, "Mul")?.inputs.every((value) => value === s) === true;
      return isSquare && pairs(producer(half, "Mul")).some(([gradient, part]) => gradient === dy && times(part, 0.5, context) === x);
    });
    if (isRest) return { dy, x };
  }
  return undefined;
}

/** What a number is multiplied with. */
function times(value: ValueName, factor: number, { producer, number }: FusionContext): ValueName | undefined {
  return pairs(producer(value, "Mul")).find(([, other]) => Math.abs((number(other) ?? Number.NaN) / factor - 1) < 1e-6)?.[0];
}

/** A node's two operands in both orders. */
function pairs(node: Node | undefined): readonly (readonly [ValueName, ValueName])[] {
  const [a, b] = node?.inputs ?? [];
  return a === undefined || b === undefined
    ? []
    : [
        [a, b],
        [b, a],
      ];
}
