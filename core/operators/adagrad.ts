import { formula } from "./formula.ts";
import type { Operator } from "./operator.ts";
import { inferOptimizer, inType, lowerOptimizer, regularized } from "./optimizer-node.ts";

/**
 * Steps shrink with the sum of the squared gradients so far: R, T, X.., G.., H.. to X'.., H'..
 *
 * As ONNX defines it: H' = H + G^2, X' = X - R / (1 + T decay_factor) G / (sqrt(H') + epsilon).
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adagrad.html
 */
export const adagrad: Operator = {
  name: "Adagrad",
  domain: "ai.onnx.preview.training",
  inputs: [3, Infinity],
  outputs: [1, Infinity],
  attributes: {
    decay_factor: { kind: "float", default: 0 },
    epsilon: { kind: "float", default: 1e-6 },
    norm_coefficient: { kind: "float", default: 0 },
  },
  infer: (context) => inferOptimizer(context, 1),
  lower(context) {
    const { emit, attributes, input } = context;
    const { add, sub, mul, div, square, sqrt } = formula(emit);
    const decay = attributes.float("decay_factor");
    const rate = decay === 0 ? input(0) : div(input(0), add(mul(inType(emit, input(1), input(0)), decay), 1));
    return lowerOptimizer(context, 1, (parameter) => {
      const { x } = parameter;
      const [h = x] = parameter.slots;
      const g = regularized(emit, parameter, attributes.float("norm_coefficient"));
      const nextH = add(h, square(g));
      return [sub(x, div(mul(inType(emit, rate, x), g), add(sqrt(nextH), attributes.float("epsilon")))), nextH];
    });
  },
};
