import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Adadelta. @see core/operators/adadelta.ts */
export const fusedAdadelta: FusedOptimizer = { operator: "Adadelta", update };

function update({ parameter, gradient, slots, rate, attributes }: ParameterUpdate): void {
  const [square, step] = slots;
  if (square === undefined || step === undefined) return; // there are two slots
  const rho = attributes.float("rho");
  const epsilon = attributes.float("epsilon");
  const decay = attributes.float("norm_coefficient");
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all four arrays have one length
    const d = step[i] as number;
    const g = (gradient[i] as number) + decay * x;
    const h = rho * (square[i] as number) + (1 - rho) * g * g;
    const change = g * Math.sqrt((d + epsilon) / (h + epsilon));
    square[i] = h;
    step[i] = rho * d + (1 - rho) * change * change;
    parameter[i] = x - rate * change;
  }
}
