import type { FusedOptimizer, OptimizerKernel, OptimizerSetting, ParameterUpdate } from "./optimizer.ts";

const kernel: OptimizerKernel = {
  slots: 0,
  constants: ["share"],
  values: (setting) => ({ share: shareOf(setting) }),
  emit: (code, { parameter: average, gradient: value }, constant) => ({
    parameter: code.vector("multiplyAdd", [constant("share"), code.vector("sub", [value, average]), average]),
    slots: [],
  }),
};

/** Exponential moving averages: the averaged values stand where others have a gradient. @see core/operators/moving-average.ts */
export const fusedMovingAverage: FusedOptimizer = { operator: "MovingAverage", update, kernel };

function update({ parameter: average, gradient: value, ...setting }: ParameterUpdate): void {
  const share = shareOf(setting);
  for (let i = 0; i < average.length; i += 1) {
    const a = average[i] as number; // both arrays have one length
    average[i] = a + share * ((value[i] as number) - a);
  }
}

function shareOf({ rate, step, attributes }: OptimizerSetting): number {
  return step > attributes.int("start") ? rate : 1;
}
