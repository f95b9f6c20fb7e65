import type { TypedArray } from "../../tensor.ts";
import { numbers, rowWeight, type Metric } from "./metric.ts";

/** The share of rows whose largest logit is the label's; the first of equal ones counts. */
export function accuracy(): Metric {
  return {
    name: "accuracy",
    output: "logits",
    start() {
      let right = 0;
      let total = 0;
      return {
        add(outputs, labels, weights) {
          const logits = numbers(outputs["logits"]);
          const classes = outputs["logits"]?.shape[1] ?? 0;
          numbers(labels).forEach((label, row) => {
            const weight = rowWeight(weights, row);
            right += largest(logits, row * classes, classes) === Number(label) ? weight : 0;
            total += weight;
          });
        },
        result: () => right / total,
      };
    },
  };
}

function largest(values: TypedArray, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if ((values[start + i] as number) > (values[start + best] as number)) best = i; // both are inside the row
  return best;
}
