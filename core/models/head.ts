import { EspalierError } from "../errors.ts";

/** What a model answers. */
export type Head =
  | { readonly task: "classification"; /** How many classes, from 2. */ readonly classes: number }
  | { readonly task: "regression"; /** How many quantities (or steps ahead) at once. Default 1. */ readonly units?: number };

/**
 * The last layer that a task needs: `logits` [batch, classes], or `prediction` [batch, units] in units of the target's standard deviation.
 *
 * @throws ARGUMENT_INVALID for fewer than two classes, or fewer than one unit
 */
export function headUnits(head: Head): { readonly units: number; readonly output: "logits" | "prediction" } {
  if (head.task === "regression") {
    const { units = 1 } = head;
    if (Number.isSafeInteger(units) && units >= 1) return { units, output: "prediction" };
    throw new EspalierError("ARGUMENT_INVALID", `a regression predicts at least one quantity, not ${units}`, { units });
  }
  if (Number.isSafeInteger(head.classes) && head.classes >= 2) return { units: head.classes, output: "logits" };
  throw new EspalierError("ARGUMENT_INVALID", `a classifier needs at least 2 classes, not ${head.classes}`, { classes: head.classes });
}
