export { constantSchedule } from "./constant.ts";
export { cosineRestartsSchedule, cosineSchedule, type CosineRestartsOptions } from "./cosine.ts";
export { exponentialSchedule, inverseSquareRootSchedule, piecewiseSchedule, polynomialSchedule, stepSchedule } from "./decay.ts";
export { oneCycleSchedule, type OneCycleOptions } from "./one-cycle.ts";
export { plateauSchedule, type PlateauOptions } from "./plateau.ts";
export { type Schedule, type ScheduleContext } from "./schedule.ts";
export { warmup } from "./warmup.ts";
