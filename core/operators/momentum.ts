import type { Operator, Value } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer, regularized, times } from "./optimizer-node.ts";

/**
 * One step of gradient descent with momentum for any number of parameters in one node: R, T, X.., G.., V.. to X'.., V'..
 *
 * As ONNX defines it: V' = alpha V + b G, where b is `beta`, or 1 at T = 0; X' = X - R V' ("standard"), X - R (G + alpha V') ("nesterov").
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html
 */
export const momentum: Operator = {
  name: "Momentum",
  domain: "ai.onnx.preview.training",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    alpha: { kind: "float", required: true },
    beta: { kind: "float", required: true },
    norm_coefficient: { kind: "float", required: true },
    mode: { kind: "string", required: true },
  },
  infer(context) {
    const mode = context.attributes.string("mode");
    if (mode !== "standard" && mode !== "nesterov") context.fail(`mode "${mode}" is not "standard" or "nesterov"`);
    return inferOptimizer(context, 1);
  },
  lower(context) {
    const { emit, attributes, input } = context;
    const [alpha, beta] = [attributes.float("alpha"), attributes.float("beta")];
    const nesterov = attributes.string("mode") === "nesterov";
    return lowerOptimizer(context, 1, (parameter) => {
      const { x, slots } = parameter;
      const [v = x] = slots;
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const isLater = (): Value => emit.op("Greater", [inType(emit, input(1), x), emit.scalar(0, x.dtype)]);
      const damping = beta === 1 ? undefined : emit.op("Where", [isLater(), emit.scalar(beta, x.dtype), emit.scalar(1, x.dtype)]);
      const nextV = emit.op("Add", [times(emit, v, alpha), damping ? emit.op("Mul", [damping, g]) : g]);
      const direction = nesterov ? emit.op("Add", [g, times(emit, nextV, alpha)]) : nextV;
      return [emit.op("Sub", [x, emit.op("Mul", [inType(emit, input(0), x), direction])]), nextV];
    });
  },
};
