import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Lion. @see core/operators/lion.ts */
export const fusedLion: FusedOptimizer = { operator: "Lion", update };

function update({ parameter, gradient, slots, rate, attributes }: ParameterUpdate): void {
  const [momentum] = slots;
  if (momentum === undefined) return; // there is one slot
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  const kept = 1 - rate * attributes.float("weight_decay");
  for (let i = 0; i < parameter.length; i += 1) {
    const g = gradient[i] as number; // all three arrays have one length
    const v = momentum[i] as number;
    parameter[i] = kept * (parameter[i] as number) - rate * Math.sign(alpha * v + (1 - alpha) * g);
    momentum[i] = beta * v + (1 - beta) * g;
  }
}
