import { checkNames } from "../../nearest.ts";
import { EspalierError } from "../../errors.ts";
import { aboveZero, checkNumbers, checkSteps, share } from "./arguments.ts";
import type { Schedule } from "./schedule.ts";

/**
 * Falls along half a cosine from the optimizer's rate to `floor` times it, after rising linearly over the first `warmupSteps`.
 *
 * @throws ARGUMENT_INVALID for a floor outside 0 to 1 or negative steps
 * @see I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts (2017)
 */
export function cosineSchedule({ floor = 0, warmupSteps = 0, ...others }: { readonly floor?: number; readonly warmupSteps?: number } = {}): Schedule {
  checkNames("cosineSchedule", others, ["floor", "warmupSteps"]);
  if (!(floor >= 0 && floor <= 1)) throw new EspalierError("ARGUMENT_INVALID", `cosineSchedule: floor must be from 0 to 1, not ${floor}`, { floor });
  if (!(warmupSteps >= 0))
    throw new EspalierError("ARGUMENT_INVALID", `cosineSchedule: warmupSteps must be from 0, not ${warmupSteps}`, { warmupSteps });
  return ({ learningRate, progress, step }) => {
    const warmth = warmupSteps === 0 ? 1 : Math.min(1, step / warmupSteps);
    return learningRate * warmth * (floor + (1 - floor) * halfCosine(progress));
  };
}

/** Keras's argument names. */
export interface CosineRestartsOptions {
  /** Steps of the first fall. */
  readonly firstDecaySteps: number;
  /** Each fall is this much longer than the one before; default 2. */
  readonly tMul?: number;
  /** Each fall starts at this much of where the one before started; default 1. */
  readonly mMul?: number;
  /** Where a fall ends, as a share of the optimizer's rate; default 0. */
  readonly alpha?: number;
}

/**
 * Falls along half a cosine again and again.
 *
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay_restarts/
 */
export function cosineRestartsSchedule({ firstDecaySteps, tMul = 2, mMul = 1, alpha = 0, ...others }: CosineRestartsOptions): Schedule {
  checkNames("cosineRestartsSchedule", others, ["firstDecaySteps", "tMul", "mMul", "alpha"]);
  checkSteps("cosineRestartsSchedule", { firstDecaySteps });
  checkNumbers("cosineRestartsSchedule", { tMul }, { fits: (value) => value >= 1, range: "a number from 1" });
  checkNumbers("cosineRestartsSchedule", { mMul }, aboveZero);
  checkNumbers("cosineRestartsSchedule", { alpha }, share);
  return ({ learningRate, step }) => {
    const periods = (step - 1) / firstDecaySteps;
    // The falls are a geometric series: 1 + tMul + ... + tMul^(n - 1) periods lie before fall n.
    const restarts = tMul === 1 ? Math.floor(periods) : Math.floor(Math.log(1 - periods * (1 - tMul)) / Math.log(tMul) + 1e-12);
    const before = tMul === 1 ? restarts : (1 - tMul ** restarts) / (1 - tMul);
    const done = (periods - before) / tMul ** restarts;
    return learningRate * (alpha + (1 - alpha) * mMul ** restarts * halfCosine(Math.max(0, done)));
  };
}

function halfCosine(done: number): number {
  return (1 + Math.cos(Math.PI * Math.min(1, done))) / 2;
}
