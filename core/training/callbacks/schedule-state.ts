import { EspalierError } from "../../errors.ts";
import { suggestNames } from "../../nearest.ts";
import { recordNumbers } from "../monitor.ts";
import type { Schedule } from "../schedules/index.ts";
import type { Callback } from "./callback.ts";

/**
 * What lets a schedule follow a run, and its state travel in checkpoints; undefined for one that depends on the step alone.
 *
 * @throws (when training starts) ARGUMENT_INVALID for a schedule whose number the run does not have
 */
export function scheduleCallback({ monitor, observe, state, restore }: Schedule): Callback | undefined {
  if (observe === undefined) return undefined;
  return {
    name: "schedule",
    onStart(_event, run) {
      if (monitor !== undefined && !run.numbers.includes(monitor))
        throw new EspalierError("ARGUMENT_INVALID", `schedule: the run has no number "${monitor}" to monitor${suggestNames(monitor, run.numbers)}`, {
          monitor,
        });
      restore?.(run.restored);
    },
    onEpoch: ({ record }) => observe(recordNumbers(record)),
    ...(state && { state }),
  };
}
