import { EspalierError } from "../errors.ts";

/** What a model answers. */
export type Head = { readonly task: "classification"; /** How many classes, from 2. */ readonly classes: number } | { readonly task: "regression" };

/**
 * The last layer that a task needs: `logits` [batch, classes], or `prediction` [batch, 1] in units of the target's standard deviation.
 *
 * @throws ARGUMENT_INVALID for fewer than two classes
 */
export function headUnits(head: Head): { readonly units: number; readonly output: "logits" | "prediction" } {
  if (head.task === "regression") return { units: 1, output: "prediction" };
  if (Number.isSafeInteger(head.classes) && head.classes >= 2) return { units: head.classes, output: "logits" };
  throw new EspalierError("ARGUMENT_INVALID", `a classifier needs at least 2 classes, not ${head.classes}`, { classes: head.classes });
}
