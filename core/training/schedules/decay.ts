import { checkNames } from "../../nearest.ts";
import { EspalierError } from "../../errors.ts";
import { aboveZero, checkNumbers, checkSteps, fromZero, share } from "./arguments.ts";
import type { Schedule } from "./schedule.ts";

// Rates that fall with the steps. The first step has the optimizer's own rate.

/** The rate times `gamma` after every `stepSize` steps. @throws ARGUMENT_INVALID @see https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html */
export function stepSchedule({ stepSize, gamma = 0.1, ...others }: { readonly stepSize: number; readonly gamma?: number }): Schedule {
  checkNames("stepSchedule", others, ["stepSize", "gamma"]);
  checkSteps("stepSchedule", { stepSize });
  checkNumbers("stepSchedule", { gamma }, fromZero);
  return ({ learningRate, step }) => learningRate * gamma ** Math.floor((step - 1) / stepSize);
}

/**
 * The rate times the first of `factors` up to step `boundaries[0]`, times the second up to `boundaries[1]`, and so on.
 *
 * @param options.factors one more than boundaries
 * @throws ARGUMENT_INVALID for boundaries that do not rise, or another number of factors
 * @see https://keras.io/api/optimizers/learning_rate_schedules/piecewise_constant_decay/
 */
export function piecewiseSchedule({
  boundaries,
  factors,
  ...others
}: {
  readonly boundaries: readonly number[];
  readonly factors: readonly number[];
}): Schedule {
  checkNames("piecewiseSchedule", others, ["boundaries", "factors"]);
  boundaries.forEach((value, i) => checkSteps("piecewiseSchedule", { [`boundary ${i + 1}`]: value }, i === 0 ? 1 : (boundaries[i - 1] ?? 0) + 1));
  factors.forEach((value, i) => checkNumbers("piecewiseSchedule", { [`factor ${i + 1}`]: value }, fromZero));
  if (factors.length !== boundaries.length + 1) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `piecewiseSchedule: ${boundaries.length} boundaries have ${boundaries.length + 1} factors, not ${factors.length}`,
      {
        boundaries,
        factors,
      },
    );
  }
  return ({ learningRate, step }) => {
    const piece = boundaries.findIndex((boundary) => step <= boundary);
    return learningRate * (factors.at(piece) ?? 1); // beyond all boundaries the last one: -1
  };
}

/**
 * The rate times decayRate^(steps / decaySteps); in jumps with `staircase`.
 *
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/optimizers/learning_rate_schedules/exponential_decay/
 */
export function exponentialSchedule({
  decaySteps,
  decayRate,
  staircase = false,
  ...others
}: {
  readonly decaySteps: number;
  readonly decayRate: number;
  readonly staircase?: boolean;
}): Schedule {
  checkNames("exponentialSchedule", others, ["decaySteps", "decayRate", "staircase"]);
  checkSteps("exponentialSchedule", { decaySteps });
  checkNumbers("exponentialSchedule", { decayRate }, aboveZero);
  return ({ learningRate, step }) => {
    const periods = (step - 1) / decaySteps;
    return learningRate * decayRate ** (staircase ? Math.floor(periods) : periods);
  };
}

/**
 * Falls to `floor` times the rate as (1 - steps / decaySteps)^power.
 *
 * @param options.decaySteps by default all planned epochs
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/optimizers/learning_rate_schedules/polynomial_decay/
 */
export function polynomialSchedule({
  decaySteps,
  floor = 0,
  power = 1,
  ...others
}: { readonly decaySteps?: number; readonly floor?: number; readonly power?: number } = {}): Schedule {
  checkNames("polynomialSchedule", others, ["decaySteps", "floor", "power"]);
  checkSteps("polynomialSchedule", { decaySteps });
  checkNumbers("polynomialSchedule", { floor }, share);
  checkNumbers("polynomialSchedule", { power }, aboveZero);
  return ({ learningRate, progress, step }) => {
    const done = Math.min(1, decaySteps === undefined ? progress : (step - 1) / decaySteps);
    return learningRate * (floor + (1 - floor) * (1 - done) ** power);
  };
}

/**
 * Rises linearly to the rate over `warmupSteps`, then falls as 1 / sqrt(step): the transformer's.
 *
 * @throws ARGUMENT_INVALID
 * @see A. Vaswani et al., Attention is all you need (2017), section 5.3
 */
export function inverseSquareRootSchedule({ warmupSteps, ...others }: { readonly warmupSteps: number }): Schedule {
  checkNames("inverseSquareRootSchedule", others, ["warmupSteps"]);
  checkSteps("inverseSquareRootSchedule", { warmupSteps });
  return ({ learningRate, step }) => learningRate * Math.min(step / warmupSteps, Math.sqrt(warmupSteps / step));
}
