import { numbers, type Metric } from "./metric.ts";

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
