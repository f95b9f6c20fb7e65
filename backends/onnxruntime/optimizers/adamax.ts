import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Adam by the largest gradient. @see core/operators/adamax.ts */
export const fusedAdamax: FusedOptimizer = { operator: "Adamax", update };

function update({ parameter, gradient, slots, rate, step, attributes }: ParameterUpdate): void {
  const [mean, largest] = slots;
  if (mean === undefined || largest === undefined) return; // there are two slots
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  const epsilon = attributes.float("epsilon");
  const decay = attributes.float("norm_coefficient");
  const corrected = rate / (1 - alpha ** step);
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all four arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (mean[i] as number) + (1 - alpha) * g;
    const u = Math.max(beta * (largest[i] as number), Math.abs(g));
    mean[i] = v;
    largest[i] = u;
    parameter[i] = x - (corrected * v) / (u + epsilon);
  }
}
