import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** RMSprop, plain or centred, with momentum or without. @see core/operators/rms-prop.ts */
export const fusedRmsProp: FusedOptimizer = { operator: "RMSprop", update };

function update({ parameter, gradient, slots, rate, attributes }: ParameterUpdate): void {
  const rho = attributes.float("rho");
  const epsilon = attributes.float("epsilon");
  const decay = attributes.float("norm_coefficient");
  const momentum = attributes.float("momentum");
  const [square] = slots;
  const mean = attributes.int("centered") === 1 ? slots[1] : undefined;
  const velocity = momentum === 0 ? undefined : slots.at(-1);
  if (square === undefined) return; // there is one slot at least
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const h = rho * (square[i] as number) + (1 - rho) * g * g;
    square[i] = h;
    let variance = h;
    if (mean !== undefined) {
      const a = rho * (mean[i] as number) + (1 - rho) * g;
      mean[i] = a;
      variance = Math.max(0, h - a * a);
    }
    let direction = g / (Math.sqrt(variance) + epsilon);
    if (velocity !== undefined) {
      direction += momentum * (velocity[i] as number);
      velocity[i] = direction;
    }
    parameter[i] = x - rate * direction;
  }
}
