import type { Node, ValueName } from "../../../core/index.ts";
import { planLayerNormalizationGrad } from "../kernels/layer-normalization-grad.ts";
import type { Fusion, FusionContext } from "./fusion.ts";
import { isReadAfter, rowSumOf, summedRows } from "./sums.ts";

/**
 * The gradient of a layer normalisation before a branch: dX plus the gradient that goes round the branch, with the gradient of the normalisation's bias and, where
 * it is there, that of a bias which was added before: rows' sums of what arrives and of the result.
 */
export const layerNormalizationGrad: Fusion = {
  name: "LayerNormalizationGrad",
  match(node, context) {
    const summed = summedRows(node, context);
    const addition = summed === undefined ? node : context.producer(summed);
    const found = addition && joined(addition, context);
    if (found === undefined) return undefined;
    const { normalization, round } = found;
    const [dy = ""] = normalization.inputs;
    const [result = ""] = addition?.outputs ?? [];
    const bias = rowSumOf(dy, node, context);
    if (bias === undefined || (summed !== undefined && !isReadAfter(result, node, context))) return undefined;
    const sums = [normalization.outputs[1], bias.outputs[0], ...(summed === undefined ? [] : [node.outputs[0]])];
    return {
      inputs: [...normalization.inputs, round],
      outputs: [result, ...sums.map((sum) => sum ?? "")],
      plan({ inputs, outputs: [, ...kept] }) {
        const isLastAxis = kept.every(({ shape }) => shape.join() === inputs[2]?.shape.join()); // each as Scale: its kernel sums over the rows that are normalised
        return isLastAxis ? planLayerNormalizationGrad(inputs, { residual: true, extra: summed === undefined ? 1 : 2 }) : undefined;
      },
    };
  },
};

/** The normalisation whose dX is added to another value of its shape and used for nothing else. */
function joined(
  { operator, inputs, outputs }: Node,
  { graph, producer, uses }: FusionContext,
): { readonly normalization: Node; readonly round: ValueName } | undefined {
  const sizes = (value: ValueName | undefined): string => graph.values[value ?? ""]?.shape.join() ?? "";
  if (operator !== "Add") return undefined;
  for (const [own, round] of [inputs, inputs.toReversed()]) {
    const normalization = producer(own, "LayerNormalizationGrad");
    const isOwn = normalization?.outputs[0] === own && uses(own ?? "") === 1 && sizes(round) === sizes(outputs[0]) && sizes(own) === sizes(round);
    if (isOwn && normalization !== undefined && round !== undefined) return { normalization, round };
  }
  return undefined;
}
