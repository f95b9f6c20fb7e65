import { checkChoice, checkNames } from "../../nearest.ts";
import { aboveZero, checkNumbers, checkSteps } from "./arguments.ts";
import type { Schedule } from "./schedule.ts";

/** PyTorch's argument names and defaults; the optimizer's rate is the largest. */
export interface OneCycleOptions {
  /** By default all planned epochs. */
  readonly totalSteps?: number;
  /** How much of the steps the rate rises; default 0.3. */
  readonly pctStart?: number;
  /** The first rate is the largest over this; default 25. */
  readonly divFactor?: number;
  /** The last rate is the first over this; default 10,000. */
  readonly finalDivFactor?: number;
  /** How it rises and falls. Default "cos". */
  readonly annealStrategy?: "cos" | "linear";
}

/**
 * One rise to a large rate and one long fall far below the first one.
 *
 * @throws ARGUMENT_INVALID
 * @see L. N. Smith, N. Topin, Super-convergence: very fast training of neural networks using large learning rates (2018)
 */
export function oneCycleSchedule({
  totalSteps,
  pctStart = 0.3,
  divFactor = 25,
  finalDivFactor = 1e4,
  annealStrategy = "cos",
  ...others
}: OneCycleOptions = {}): Schedule {
  checkNames("oneCycleSchedule", others, ["totalSteps", "pctStart", "divFactor", "finalDivFactor", "annealStrategy"]);
  checkSteps("oneCycleSchedule", { totalSteps }, 2);
  checkNumbers("oneCycleSchedule", { pctStart }, { fits: (value) => value > 0 && value < 1, range: "between 0 and 1" });
  checkNumbers("oneCycleSchedule", { divFactor, finalDivFactor }, aboveZero);
  checkChoice("oneCycleSchedule", "annealStrategy", annealStrategy, ["cos", "linear"]);
  const between = (from: number, to: number, done: number): number =>
    annealStrategy === "cos" ? to + ((from - to) / 2) * (1 + Math.cos(Math.PI * done)) : from + (to - from) * done;
  return ({ learningRate, progress, step }) => {
    const first = learningRate / divFactor;
    const [at, top, end] = totalSteps === undefined ? [progress, pctStart, 1] : [step - 1, pctStart * totalSteps - 1, totalSteps - 1];
    if (at <= top) return between(first, learningRate, at / top);
    return between(learningRate, first / finalDivFactor, Math.min(1, (at - top) / (end - top)));
  };
}
