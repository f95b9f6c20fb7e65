/** Where training stands, for a schedule. */
export interface ScheduleContext {
  /** The optimizer's own rate. */
  readonly learningRate: number;
  /** From 0 to 1: how much of all planned epochs lies behind. */
  readonly progress: number;
  /** 1 in the first step. */
  readonly step: number;
}

/** The learning rate of a step. */
export type Schedule = (context: ScheduleContext) => number;
