import type { Schedule } from "./schedule.ts";

/** The optimizer's rate, always. */
export function constantSchedule(): Schedule {
  return ({ learningRate }) => learningRate;
}
