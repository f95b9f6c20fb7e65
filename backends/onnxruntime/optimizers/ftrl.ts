import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Follow the regularised leader. @see core/operators/ftrl.ts */
export const fusedFtrl: FusedOptimizer = { operator: "Ftrl", update };

function update({ parameter, gradient, slots, rate, attributes }: ParameterUpdate): void {
  const [sum, linear] = slots;
  if (sum === undefined || linear === undefined) return; // there are two slots
  const initial = attributes.float("initial");
  const l1 = attributes.float("l1");
  const l2 = attributes.float("l2");
  const shrinkage = attributes.float("l2_shrinkage");
  const beta = attributes.float("beta");
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all four arrays have one length
    const g = gradient[i] as number;
    const n = sum[i] as number;
    const root = Math.sqrt(n + g * g + initial);
    const z = (linear[i] as number) + g + 2 * shrinkage * x - ((root - Math.sqrt(n + initial)) / rate) * x;
    sum[i] = n + g * g;
    linear[i] = z;
    parameter[i] = (Math.min(Math.max(z, -l1), l1) - z) / ((root + beta) / rate + 2 * l2);
  }
}
