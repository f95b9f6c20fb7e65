import { recordNumbers } from "../monitor.ts";
import type { Schedule } from "../schedules/index.ts";
import type { Callback } from "./callback.ts";

/** What lets a schedule follow a run, and its state travel in checkpoints; undefined for one that depends on the step alone. */
export function scheduleCallback({ observe, state, restore }: Schedule): Callback | undefined {
  if (observe === undefined) return undefined;
  return {
    name: "schedule",
    onStart: (_event, run) => restore?.(run.restored),
    onEpoch: ({ record }) => observe(recordNumbers(record)),
    ...(state && { state }),
  };
}
