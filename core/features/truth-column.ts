import type { FittedTarget } from "./features.ts";

/** The column that holds what came next: the truth that forecasts are compared with. Other targets are in their own column. */
export function truthColumn(target: FittedTarget): string {
  return target.task === "regression" && target.horizon !== undefined ? `next ${target.column}` : target.column;
}
