import { checkChoice, checkNames } from "../../nearest.ts";
import { EspalierError } from "../../errors.ts";
import { checkNumbers, checkSteps, fromZero } from "./arguments.ts";
import type { Schedule } from "./schedule.ts";

/** Keras's argument names and defaults. */
export interface PlateauOptions {
  /** What is followed. By default `validation.loss`, or `loss` without validation. */
  readonly monitor?: string;
  /** Times the rate when nothing got better; between 0 and 1, default 0.1. */
  readonly factor?: number;
  /** Epochs without a better number before the rate is lowered; default 10. */
  readonly patience?: number;
  /** Better is by more than this; default 1e-4. */
  readonly minDelta?: number;
  /** Epochs after a lowering before the next are counted; default 0. */
  readonly cooldown?: number;
  /** The rate falls no lower; default 0. */
  readonly minLearningRate?: number;
  /** Whether the number is to fall or to rise. Default "min". */
  readonly mode?: "min" | "max";
}

/** What a checkpoint keeps. */
interface PlateauState {
  readonly [field: string]: number;
  readonly lowered: number;
  readonly best: number;
  readonly wait: number;
  readonly cooling: number;
}

/**
 * The optimizer's rate, lowered whenever the monitored number has not become better for a while.
 *
 * @throws ARGUMENT_INVALID for a number out of range, and when a run starts that will not have the monitored number
 * @see https://keras.io/api/callbacks/reduce_lr_on_plateau/
 */
export function plateauSchedule({
  monitor,
  factor = 0.1,
  patience = 10,
  minDelta = 1e-4,
  cooldown = 0,
  minLearningRate = 0,
  mode = "min",
  ...others
}: PlateauOptions = {}): Schedule {
  checkNames("plateauSchedule", others, ["monitor", "factor", "patience", "minDelta", "cooldown", "minLearningRate", "mode"]);
  checkNumbers("plateauSchedule", { factor }, { fits: (value) => value > 0 && value < 1, range: "between 0 and 1" });
  checkSteps("plateauSchedule", { patience });
  checkSteps("plateauSchedule", { cooldown }, 0);
  checkNumbers("plateauSchedule", { minDelta, minLearningRate }, fromZero);
  checkChoice("plateauSchedule", "mode", mode, ["min", "max"]);
  const anew: PlateauState = { lowered: 0, best: mode === "min" ? Infinity : -Infinity, wait: 0, cooling: 0 };
  let now = anew;
  const schedule: Schedule = ({ learningRate }) => {
    const lowered = learningRate * factor ** now.lowered;
    return Math.min(learningRate, Math.max(minLearningRate, lowered));
  };
  return Object.assign(schedule, {
    ...(monitor !== undefined && { monitor }),
    observe(numbers: Readonly<Record<string, number>>) {
      const value = monitored(numbers, monitor);
      const cooling = Math.max(0, now.cooling - 1);
      const better = mode === "min" ? value < now.best - minDelta : value > now.best + minDelta;
      if (better) now = { ...now, best: value, wait: 0, cooling };
      else if (cooling > 0) now = { ...now, wait: 0, cooling };
      else if (now.wait + 1 < patience) now = { ...now, wait: now.wait + 1, cooling };
      else now = { ...now, lowered: now.lowered + 1, wait: 0, cooling: cooldown };
    },
    state: () => ({ ...now }),
    restore(state: Readonly<Record<string, unknown>> | undefined) {
      now = state === undefined ? anew : { ...anew, ...(state as PlateauState) }; // what `state` gave
    },
  });
}

function monitored(numbers: Readonly<Record<string, number>>, monitor: string | undefined): number {
  const name = monitor ?? ("validation.loss" in numbers ? "validation.loss" : "loss");
  const value = numbers[name];
  if (value !== undefined) return value;
  throw new EspalierError("ARGUMENT_INVALID", `plateauSchedule: there is no "${name}" to monitor; choose from ${Object.keys(numbers).join(", ")}`, {
    monitor: name,
  });
}
