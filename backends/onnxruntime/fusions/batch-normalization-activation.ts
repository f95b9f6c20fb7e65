import { findOperator, readAttributes } from "../../../core/index.ts";
import { planBatchNormalization } from "../kernels/batch-normalization.ts";
import { boundsOf } from "./activation-bounds.ts";
import type { Fusion } from "./fusion.ts";

/**
 * BatchNormalization by the batch's own statistics, and Relu or Clip after it, in one pass: what was normalised is not written.
 *
 * Others may read it in the graph: Clip's gradient does, until it is fused too.
 */
export const batchNormalizationActivation: Fusion = {
  name: "BatchNormalization, Relu or Clip",
  match(node, context) {
    const bounds = boundsOf(node, context);
    const normalization = bounds && context.producer(node.inputs[0], "BatchNormalization");
    const operator = findOperator("BatchNormalization");
    if (normalization === undefined || operator === undefined || context.producer(normalization.inputs[3], "BatchMoments") === undefined)
      return undefined;
    if (context.uses(node.inputs[0] ?? "") > (node.operator === "Clip" ? 2 : 1)) return undefined;
    const attributes = readAttributes(operator, normalization.name, normalization.attributes);
    if (attributes.int("training_mode") === 1) return undefined;
    return {
      inputs: normalization.inputs,
      outputs: node.outputs,
      plan: ({ inputs: [x] }) => x && planBatchNormalization(x, { epsilon: attributes.float("epsilon"), ...(bounds && { bounds }) }),
    };
  },
};
