import type { CallbackState } from "../callbacks/callback.ts";

/** Where training stands, for a schedule. */
export interface ScheduleContext {
  /** The optimizer's own rate. */
  readonly learningRate: number;
  /** From 0 to 1: how much of all planned epochs lies behind. */
  readonly progress: number;
  /** The number of the update, 1 in the first. */
  readonly step: number;
}

/** The learning rate of a step; one that follows how training goes also has the functions below. */
export interface Schedule {
  (context: ScheduleContext): number;
  /** The number that `observe` looks for, where one was named: a run that will not have it is refused at its start. */
  readonly monitor?: string;
  /** Told an epoch's numbers when it ends, by the names that `recordNumbers` gives them: `loss`, `validation.loss`, `validation.accuracy`. */
  readonly observe?: (numbers: Readonly<Record<string, number>>) => void;
  /** What a checkpoint keeps of it. */
  readonly state?: () => CallbackState;
  /** Begins anew, or from what `state` gave. Called once at the start of a run. */
  readonly restore?: (state: CallbackState | undefined) => void;
}
