import type { Tensor, Tensors, TypedArray } from "../tensor.ts";

/** One metric's sums over a pass. */
export interface MetricSums {
  /** @param outputs the model's outputs for one batch @param labels as fed */
  add(outputs: Tensors, labels: Tensor): void;
  /** The metric over everything added so far. */
  result(): number;
}

/** A number that is followed on validation rows while training, computed batch by batch. */
export interface Metric {
  readonly name: string;
  start(): MetricSums;
}

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

/** Root of the mean squared difference between `prediction` and label, in the label's (standardised) unit. */
export function rootMeanSquaredError(): Metric {
  return differenceMetric("rmse", (difference) => difference * difference, Math.sqrt);
}

/** Mean absolute difference between `prediction` and label, in the label's (standardised) unit. */
export function meanAbsoluteError(): Metric {
  return differenceMetric("mae", Math.abs, (mean) => mean);
}

function differenceMetric(name: string, cost: (difference: number) => number, finish: (mean: number) => number): Metric {
  return {
    name,
    start() {
      let sum = 0;
      let count = 0;
      return {
        add(outputs, labels) {
          const predictions = numbers(outputs["prediction"]);
          numbers(labels).forEach((label, i) => (sum += cost(Number(predictions[i]) - Number(label))));
          count += predictions.length;
        },
        result: () => finish(sum / count),
      };
    },
  };
}

function numbers(value: Tensor | undefined): TypedArray {
  return (value?.data ?? new Float32Array()) as TypedArray; // outputs and labels are numeric
}

function largest(values: TypedArray, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if ((values[start + i] as number) > (values[start + best] as number)) best = i; // both are inside the row
  return best;
}
