import { planBatchNormalization } from "../kernels/batch-normalization.ts";
import type { Fusion } from "./fusion.ts";
import { normalizedInput } from "./normalized-input.ts";

/**
 * BatchNormalization by the batch's own statistics, and Relu or Clip after it, in one pass: what was normalised is not written.
 *
 * Others may read it in the graph: Clip's gradient does, until it is fused too.
 */
export const batchNormalizationActivation: Fusion = {
  name: "BatchNormalization, Relu or Clip",
  match(node, context) {
    const found = normalizedInput(node.outputs[0], context);
    if (found === undefined || context.uses(node.inputs[0] ?? "") > (node.operator === "Clip" ? 2 : 1)) return undefined;
    return {
      inputs: [found.x, ...found.statistics],
      outputs: node.outputs,
      plan: ({ inputs: [x] }) => x && planBatchNormalization(x, found.options),
    };
  },
};
