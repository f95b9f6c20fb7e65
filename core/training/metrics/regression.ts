import { numbers, rowWeight, type Metric } from "./metric.ts";

/** Root of the mean squared difference between `prediction` and label, in the label's (standardised) unit. */
export function rootMeanSquaredError(): Metric {
  return differenceMetric("rmse", (difference) => difference * difference, Math.sqrt);
}

/** Mean absolute difference between `prediction` and label, in the label's (standardised) unit. */
export function mae(): Metric {
  return differenceMetric("mae", Math.abs, (mean) => mean);
}

function differenceMetric(name: string, cost: (difference: number) => number, finish: (mean: number) => number): Metric {
  return {
    name,
    output: "prediction",
    start() {
      let sum = 0;
      let total = 0;
      return {
        add(outputs, labels, weights) {
          const predictions = numbers(outputs["prediction"]);
          const perRow = predictions.length / (labels.shape[0] ?? 1);
          numbers(labels).forEach((label, i) => {
            const weight = rowWeight(weights, Math.floor(i / perRow));
            sum += weight * cost(Number(predictions[i]) - Number(label));
            total += weight;
          });
        },
        result: () => finish(sum / total),
      };
    },
  };
}
