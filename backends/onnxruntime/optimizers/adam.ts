import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/**
 * Adam with ONNX's meaning. Constants and arithmetic are float64: in float32, 1 - beta^T of the first steps cancels.
 *
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html
 */
export const fusedAdam: FusedOptimizer = { operator: "Adam", update };

function update({ parameter, gradient, slots, rate, step, attributes }: ParameterUpdate): void {
  const [first, second] = slots;
  if (first === undefined || second === undefined) return; // `slots` is 2
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  const epsilon = attributes.float("epsilon");
  const decay = attributes.float("norm_coefficient");
  const shrink = 1 - attributes.float("norm_coefficient_post");
  const corrected = step > 0 ? (rate * Math.sqrt(1 - beta ** step)) / (1 - alpha ** step) : rate;
  const keepFirst = 1 - alpha;
  const keepSecond = 1 - beta;
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all four arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (first[i] as number) + keepFirst * g;
    const h = beta * (second[i] as number) + keepSecond * g * g;
    first[i] = v;
    second[i] = h;
    parameter[i] = shrink * (x - (corrected * v) / (Math.sqrt(h) + epsilon));
  }
}
