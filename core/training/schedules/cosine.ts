import { EspalierError } from "../../errors.ts";
import type { Schedule } from "./schedule.ts";

/**
 * Falls along half a cosine from the optimizer's rate to `floor` times it, after rising linearly over the first `warmupSteps`.
 *
 * @throws ARGUMENT_INVALID for a floor outside 0 to 1 or negative steps
 * @see I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts (2017)
 */
export function cosineSchedule({ floor = 0, warmupSteps = 0 }: { readonly floor?: number; readonly warmupSteps?: number } = {}): Schedule {
  if (!(floor >= 0 && floor <= 1)) throw new EspalierError("ARGUMENT_INVALID", `cosineSchedule: floor must be from 0 to 1, not ${floor}`, { floor });
  if (!(warmupSteps >= 0))
    throw new EspalierError("ARGUMENT_INVALID", `cosineSchedule: warmupSteps must be from 0, not ${warmupSteps}`, { warmupSteps });
  return ({ learningRate, progress, step }) => {
    const warmth = warmupSteps === 0 ? 1 : Math.min(1, step / warmupSteps);
    return learningRate * warmth * (floor + ((1 - floor) * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2);
  };
}
