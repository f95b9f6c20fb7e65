import { planBatchNormalizationGrad } from "../kernels/batch-normalization-grad.ts";
import { maskedGradient } from "./activation-bounds.ts";
import type { Fusion } from "./fusion.ts";

/** BatchNormalizationGrad of a gradient that comes through Relu or Clip: the gradient's mask is made again from X while both are read. */
export const batchNormalizationActivationGrad: Fusion = {
  name: "gradient of Relu or Clip, BatchNormalizationGrad",
  match(node, context) {
    if (node.operator !== "BatchNormalizationGrad") return undefined;
    const [dy = "", x = "", scale = "", mean = "", inverse = ""] = node.inputs;
    const masked = context.uses(dy) === 1 ? maskedGradient(context.producer(dy), context) : undefined;
    const normalization = context.producer(masked?.activation.inputs[0], "BatchNormalization");
    if (masked === undefined || normalization === undefined) return undefined;
    const [ofX, ofScale, bias = "", ofMean, variance] = normalization.inputs;
    const sum = context.producer(context.producer(context.producer(inverse, "Reciprocal")?.inputs[0], "Sqrt")?.inputs[0], "Add");
    if (ofX !== x || ofScale !== scale || ofMean !== mean || sum?.inputs.includes(variance ?? "") !== true) return undefined;
    return {
      inputs: [masked.gradient, x, scale, mean, inverse, bias],
      outputs: node.outputs,
      plan({ inputs: [gradient, normalized] }) {
        return gradient?.shape.join() === normalized?.shape.join() ? gradient && planBatchNormalizationGrad(gradient, masked.bounds) : undefined;
      },
    };
  },
};
