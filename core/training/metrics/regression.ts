import { createRegressionSums, type RegressionSums } from "../../evaluation/regression-sums.ts";
import { numbers, rowWeight, type Metric } from "./metric.ts";

/** What metrics of numbers read. */
export interface NumberMetricOptions {
  /** Default "prediction". */
  readonly output?: string;
}

/** Root of the mean squared difference between `prediction` and label, in the label's (standardised) unit. */
export function rootMeanSquaredError(options: NumberMetricOptions = {}): Metric {
  return ofErrors("rmse", options, ([sums]) => sums?.rmse() ?? Number.NaN);
}

/** Mean absolute difference between `prediction` and label, in the label's (standardised) unit. */
export function mae(options: NumberMetricOptions = {}): Metric {
  return ofErrors("mae", options, ([sums]) => sums?.mae() ?? Number.NaN);
}

/** Mean absolute difference as a share of the label: 0.1 is ten percent. */
export function mape(options: NumberMetricOptions = {}): Metric {
  return ofErrors("mape", options, ([sums]) => sums?.mape() ?? Number.NaN);
}

/** The share of the labels' variance that is explained, at most 1; of several units their mean. NaN when no unit's labels vary. */
export function r2(options: NumberMetricOptions = {}): Metric {
  const mean = (sums: readonly RegressionSums[]): number => {
    const shares = sums.flatMap((unit) => unit.r2() ?? []);
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  return ofErrors("r2", options, mean, { byUnit: true });
}

/** The mean cosine of the angle between output and label over the last axis; 0 for a vector of zeros. */
export function cosine({ output = "prediction" }: NumberMetricOptions = {}): Metric {
  return {
    name: "cosine",
    output,
    start() {
      let sum = 0;
      let total = 0;
      return {
        add(outputs, labels, weights) {
          const [a, b] = [numbers(outputs[output]), numbers(labels)];
          const size = outputs[output]?.shape.at(-1) ?? 1;
          const perRow = a.length / size / (labels.shape[0] ?? 1);
          for (let vector = 0; vector * size < a.length; vector++) {
            let [product, lengthA, lengthB] = [0, 0, 0];
            for (let i = vector * size; i < (vector + 1) * size; i++) {
              const [x, y] = [Number(a[i]), Number(b[i])];
              product += x * y;
              lengthA += x * x;
              lengthB += y * y;
            }
            const weight = rowWeight(weights, Math.floor(vector / perRow));
            sum += product === 0 ? 0 : (weight * product) / Math.sqrt(lengthA * lengthB);
            total += weight;
          }
        },
        result: () => sum / total,
      };
    },
  };
}

function ofErrors(
  name: string,
  { output = "prediction" }: NumberMetricOptions,
  result: (sums: readonly RegressionSums[]) => number,
  { byUnit = false }: { readonly byUnit?: boolean } = {},
): Metric {
  return {
    name,
    output,
    start() {
      const sums: RegressionSums[] = [];
      return {
        add(outputs, labels, weights) {
          const predictions = numbers(outputs[output]);
          const perRow = predictions.length / (labels.shape[0] ?? 1);
          const units = byUnit ? (outputs[output]?.shape.at(-1) ?? 1) : 1;
          numbers(labels).forEach((label, i) => {
            const unit = perRow === 1 ? 0 : i % units;
            sums[unit] ??= createRegressionSums();
            sums[unit].add(Number(predictions[i]), Number(label), rowWeight(weights, Math.floor(i / perRow)));
          });
        },
        result: () => result(sums),
      };
    },
  };
}
