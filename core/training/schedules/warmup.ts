import { checkNumbers, checkSteps, share } from "./arguments.ts";
import type { Schedule } from "./schedule.ts";

/**
 * Another schedule whose rates rise linearly over the first steps.
 *
 * @param options.startFactor what the rise starts from, as a share of the schedule's rate; default 0: the first step has 1 / warmupSteps of it
 * @throws ARGUMENT_INVALID
 * @example warmup(plateauSchedule(), { warmupSteps: 500 })
 */
export function warmup(
  schedule: Schedule,
  { warmupSteps, startFactor = 0 }: { readonly warmupSteps: number; readonly startFactor?: number },
): Schedule {
  checkSteps("warmup", { warmupSteps });
  checkNumbers("warmup", { startFactor }, share);
  const { observe, state, restore } = schedule;
  const warmed: Schedule = (context) => schedule(context) * (startFactor + (1 - startFactor) * Math.min(1, context.step / warmupSteps));
  return Object.assign(warmed, { ...(observe && { observe }), ...(state && { state }), ...(restore && { restore }) });
}
