import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/**
 * Stochastic gradient descent with momentum, standard or Nesterov's, with ONNX's meaning.
 *
 * @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html
 */
export const fusedMomentum: FusedOptimizer = { operator: "Momentum", update };

function update({ parameter, gradient, slots, rate, step, attributes }: ParameterUpdate): void {
  const [velocity] = slots;
  if (velocity === undefined) return; // `slots` is 1
  const alpha = attributes.float("alpha");
  const fresh = step > 0 ? attributes.float("beta") : 1;
  const decay = attributes.float("norm_coefficient");
  const nesterov = attributes.string("mode") === "nesterov";
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all three arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (velocity[i] as number) + fresh * g;
    velocity[i] = v;
    parameter[i] = x - rate * (nesterov ? g + alpha * v : v);
  }
}
