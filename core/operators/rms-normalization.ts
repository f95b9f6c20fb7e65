import { axesFrom, checkScale } from "./layer-normalization.ts";
import type { Operator } from "./operator.ts";
import { alike, floatTypes } from "./shapes.ts";
import { inverseRoot, meanOfSquares } from "./standardize.ts";
import { lowerInFloat32 } from "./stash.ts";

/**
 * X / sqrt(mean(X^2) + epsilon) * scale over the axes from `axis` on. Its gradient goes through its lowering.
 *
 * @see https://onnx.ai/onnx/operators/onnx__RMSNormalization.html
 * @see B. Zhang and R. Sennrich, Root mean square layer normalization (2019)
 */
export const rmsNormalization: Operator = {
  name: "RMSNormalization",
  domain: "",
  opset: 23,
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: -1 }, epsilon: { kind: "float", default: 1e-5 }, stash_type: { kind: "int", default: 1 } },
  infer(context) {
    alike(context, [0, 1], floatTypes);
    if (context.attributes.int("stash_type") !== 1) context.fail(`stash_type ${context.attributes.int("stash_type")} is not 1 (float)`);
    checkScale(context, { scale: 1 });
    return [context.input(0)];
  },
  lower: lowerInFloat32(({ emit, input, attributes }) => {
    const x = input(0);
    const inverse = inverseRoot(emit, meanOfSquares(emit, x, axesFrom(attributes.int("axis"), x)), attributes.float("epsilon"));
    return [emit.op("Mul", [emit.op("Mul", [x, inverse]), input(1)])];
  }),
};
