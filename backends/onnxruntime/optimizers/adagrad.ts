import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Adagrad with ONNX's meaning. @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adagrad.html */
export const fusedAdagrad: FusedOptimizer = { operator: "Adagrad", update };

function update({ parameter, gradient, slots, rate, step, attributes }: ParameterUpdate): void {
  const [sum] = slots;
  if (sum === undefined) return; // there is one slot
  const epsilon = attributes.float("epsilon");
  const decay = attributes.float("norm_coefficient");
  const decayed = rate / (1 + step * attributes.float("decay_factor"));
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all three arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const h = (sum[i] as number) + g * g;
    sum[i] = h;
    parameter[i] = x - (decayed * g) / (Math.sqrt(h) + epsilon);
  }
}
