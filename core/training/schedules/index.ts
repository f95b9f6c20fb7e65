export { constantSchedule } from "./constant.ts";
export { cosineSchedule } from "./cosine.ts";
export { type Schedule, type ScheduleContext } from "./schedule.ts";
