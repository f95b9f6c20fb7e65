import type { Operator } from "./operator.ts";
import { correctedRate, inferOptimizer, inType, lowerOptimizer, regularized, times } from "./optimizer-node.ts";

/**
 * One step of Adam for any number of parameters in one node: R, T, X.., G.., V.., H.. to X'.., V'.., H'..
 *
 * As ONNX defines it: V' = alpha V + (1 - alpha) G, H' = beta H + (1 - beta) G^2, and X' = X - r V' / (sqrt(H') + epsilon), where
 * r = R sqrt(1 - beta^T) / (1 - alpha^T) for T > 0: fed from 1 upwards, T gives the usual correction of the bias.
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html
 */
export const adam: Operator = {
  name: "Adam",
  domain: "ai.onnx.preview.training",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    alpha: { kind: "float", default: 0.9 },
    beta: { kind: "float", default: 0.999 },
    epsilon: { kind: "float", default: 1e-6 },
    norm_coefficient: { kind: "float", default: 0 },
    norm_coefficient_post: { kind: "float", default: 0 },
  },
  infer: (context) => inferOptimizer(context, 2),
  lower(context) {
    const { emit, attributes, input } = context;
    const [alpha, beta, epsilon] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("epsilon")];
    const rate = correctedRate(emit, { rate: input(0), step: input(1), alpha, beta });
    return lowerOptimizer(context, 2, (parameter) => {
      const [v = parameter.x, h = parameter.x] = parameter.slots;
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const nextV = emit.op("Add", [times(emit, v, alpha), times(emit, g, 1 - alpha)]);
      const nextH = emit.op("Add", [times(emit, h, beta), times(emit, emit.op("Mul", [g, g]), 1 - beta)]);
      const root = emit.op("Add", [emit.op("Sqrt", [nextH]), emit.scalar(epsilon, h.dtype)]);
      const change = emit.op("Div", [emit.op("Mul", [inType(emit, rate, nextV), nextV]), root]);
      const nextX = emit.op("Sub", [parameter.x, change]);
      return [times(emit, nextX, 1 - attributes.float("norm_coefficient_post")), nextV, nextH];
    });
  },
};
