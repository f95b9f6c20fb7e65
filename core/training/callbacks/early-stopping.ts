import { EspalierError } from "../../errors.ts";
import { isBetter, recordNumbers, resolveMonitor, type Monitor } from "../monitor.ts";
import type { Callback } from "./callback.ts";

/** Ends training when the watched number no longer gets better. Keras's argument names. */
export interface EarlyStopping extends Monitor {
  /** Epochs without a new best before training ends; from 1. */
  readonly patience: number;
  /** A new best is more than this much better. Default 0. */
  readonly minDelta?: number;
  /** Epochs before this one do not count. Default 1. */
  readonly startFromEpoch?: number;
}

/**
 * Early stopping as a callback, for a second one beside `fit`'s option of the same name.
 *
 * Which weights are the best is `fit`'s to say (`monitor`): they are what it returns.
 *
 * @throws ARGUMENT_INVALID for a patience below 1, a minDelta below 0, or (when training starts) a number that the run does not have
 * @see https://keras.io/api/callbacks/early_stopping/
 */
export function earlyStopping({ patience, minDelta = 0, startFromEpoch = 1, ...monitor }: EarlyStopping, name = "early-stopping"): Callback {
  if (!Number.isSafeInteger(patience) || patience < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `fit: earlyStopping.patience must be a whole number from 1, not ${patience}`, { patience });
  }
  if (!(minDelta >= 0))
    throw new EspalierError("ARGUMENT_INVALID", `fit: earlyStopping.minDelta must be a number from 0, not ${minDelta}`, { minDelta });
  let watched: Required<Monitor> = { metric: "loss", mode: "min" };
  let best: number | undefined;
  let waited = 0;
  const why = (): string => `${watched.metric} has not become better for ${waited} epochs`;
  return {
    name,
    onStart(_event, run) {
      watched = resolveMonitor(monitor, run.numbers, "earlyStopping");
      const { best: restoredBest, waited: restoredWaited } = run.restored ?? {};
      best = typeof restoredBest === "number" ? restoredBest : undefined;
      waited = typeof restoredWaited === "number" ? restoredWaited : 0;
      if (waited >= patience) run.stop(why(), "early-stopping"); // a finished run that is resumed does nothing more
    },
    onEpoch({ record }, run) {
      if (record.epoch < startFromEpoch) return;
      const value = recordNumbers(record)[watched.metric] ?? Number.NaN;
      if (isBetter(value, best, { mode: watched.mode, minDelta })) {
        best = value;
        waited = 0;
        return;
      }
      waited += 1;
      if (waited >= patience) run.stop(why(), "early-stopping");
    },
    state: () => ({ waited, ...(best !== undefined && { best }) }),
  };
}
