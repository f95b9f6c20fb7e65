import { planActivationGrad } from "../kernels/activation-grad.ts";
import { maskedGradient } from "./activation-bounds.ts";
import type { Fusion } from "./fusion.ts";

/** The gradient of Relu or Clip where no other kernel takes it along, as after a residual; with the sum that arrives there. */
export const activationGrad: Fusion = {
  name: "gradient of Relu or Clip",
  match(node, context) {
    const masked = maskedGradient(node, context);
    if (masked === undefined) return undefined;
    const { gradient, activation, bounds } = masked;
    const [input = "", output = ""] = [activation.inputs[0], activation.outputs[0]];
    const value = activation.operator === "Relu" ? output : input;
    const shapeOf = (name: string): string => String(context.graph.values[name]?.shape);
    if (shapeOf(gradient) !== shapeOf(value)) return undefined;
    const sum = context.uses(gradient) === 1 ? context.producer(gradient, "Add") : undefined;
    const isSum = sum?.inputs.every((part) => shapeOf(part) === shapeOf(value)) === true;
    return {
      inputs: [...(isSum ? sum.inputs : [gradient]), value],
      outputs: node.outputs,
      plan: ({ inputs }) => planActivationGrad(inputs, { bounds, isSum }),
    };
  },
};
