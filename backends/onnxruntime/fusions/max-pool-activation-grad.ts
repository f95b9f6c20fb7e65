import { findOperator, readAttributes } from "../../../core/index.ts";
import { planMaxPoolGrad } from "../kernels/max-pool-grad.ts";
import { maskedGradient } from "./activation-bounds.ts";
import type { Fusion } from "./fusion.ts";

/** The gradient of Relu where its result was pooled: MaxPoolGrad gives it at once, because a maximum above 0 is where both let it pass. */
export const maxPoolActivationGrad: Fusion = {
  name: "MaxPoolGrad, gradient of Relu",
  match(node, context) {
    const masked = maskedGradient(node, context);
    const pool = context.producer(masked?.gradient, "MaxPoolGrad");
    const operator = findOperator("MaxPoolGrad");
    if (masked?.activation.operator !== "Relu" || pool === undefined || operator === undefined) return undefined;
    if (pool.inputs[0] !== masked.activation.outputs[0] || context.uses(masked.gradient) !== 1) return undefined;
    const attributes = readAttributes(operator, pool.name, pool.attributes);
    return { inputs: pool.inputs, outputs: node.outputs, plan: ({ inputs }) => planMaxPoolGrad({ attributes, inputs }, masked.bounds) };
  },
};
