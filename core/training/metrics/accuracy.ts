import type { TypedArray } from "../../tensor.ts";
import { numbers, type Metric } from "./metric.ts";

/** The share of rows whose largest logit is the label's; the first of equal ones counts. */
export function accuracy(): Metric {
  return {
    name: "accuracy",
    start() {
      let right = 0;
      let rows = 0;
      return {
        add(outputs, labels) {
          const logits = numbers(outputs["logits"]);
          const classes = outputs["logits"]?.shape[1] ?? 0;
          numbers(labels).forEach((label, row) => {
            right += largest(logits, row * classes, classes) === Number(label) ? 1 : 0;
          });
          rows += labels.shape[0] ?? 0;
        },
        result: () => right / rows,
      };
    },
  };
}

function largest(values: TypedArray, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if ((values[start + i] as number) > (values[start + best] as number)) best = i; // both are inside the row
  return best;
}
