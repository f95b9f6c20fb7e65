import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Exponential moving averages: the averaged values stand where others have a gradient. @see core/operators/moving-average.ts */
export const fusedMovingAverage: FusedOptimizer = { operator: "MovingAverage", update };

function update({ parameter: average, gradient: value, rate, step, attributes }: ParameterUpdate): void {
  if (step <= attributes.int("start")) {
    average.set(value);
    return;
  }
  for (let i = 0; i < average.length; i += 1) {
    const a = average[i] as number; // both arrays have one length
    average[i] = a + rate * ((value[i] as number) - a);
  }
}
