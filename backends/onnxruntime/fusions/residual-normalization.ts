import { findOperator, readAttributes, type Node, type ValueName } from "../../../core/index.ts";
import { planResidualNormalization } from "../kernels/residual-normalization.ts";
import type { Fusion, FusionContext } from "./fusion.ts";
import { biasedProduct } from "./biased-product.ts";
import { isReadAfter } from "./sums.ts";

/** The end of a branch and the layer normalisation that begins the next: LayerNormalization(round + (product + bias)). */
export const residualNormalization: Fusion = {
  name: "ResidualNormalization",
  match(node, context) {
    const operator = node.operator === "LayerNormalization" ? findOperator("LayerNormalization") : undefined;
    const [sum = "", scale, shift] = node.inputs;
    if (operator === undefined || node.outputs.length !== 3 || !isRow(scale, sum, context) || !isRow(shift, sum, context)) return undefined;
    const attributes = readAttributes(operator, node.name, node.attributes);
    const rank = context.graph.values[sum]?.shape.length ?? 0;
    const found = added(sum, context);
    if (found === undefined || ![-1, rank - 1].includes(attributes.int("axis")) || !isReadAfter(sum, node, context)) return undefined;
    const { product, bias, round } = found;
    return {
      inputs: [product, bias, round, scale ?? "", shift ?? ""],
      outputs: [sum, ...node.outputs],
      plan: ({ inputs }) => planResidualNormalization(inputs, { epsilon: attributes.float("epsilon") }),
    };
  },
};

interface Added {
  readonly product: ValueName;
  readonly bias: ValueName;
  readonly round: ValueName;
}

/** What a sum is of: a product with a bias that nobody else reads, and another value of its shape. */
function added(sum: ValueName, context: FusionContext): Added | undefined {
  const addition: Node | undefined = context.producer(sum, "Add");
  const sizes = (value: ValueName | undefined): string => context.graph.values[value ?? ""]?.shape.join() ?? "";
  for (const [branch, round] of [addition?.inputs ?? [], addition?.inputs.toReversed() ?? []]) {
    const found = branch !== undefined && context.uses(branch) === 1 ? biasedProduct(branch, context) : undefined;
    if (found !== undefined && round !== undefined && sizes(round) === sizes(sum) && sizes(branch) === sizes(sum)) return { ...found, round };
  }
  return undefined;
}

/** Whether a value is one number for each of the last axis. */
function isRow(value: ValueName | undefined, of: ValueName, { graph }: FusionContext): boolean {
  const shape = graph.values[value ?? ""]?.shape;
  return shape?.length === 1 && shape[0] === graph.values[of]?.shape.at(-1);
}
