import { checkWhole } from "./arguments.ts";
import type { Metric } from "./metric.ts";
import { eachScored, largest, toLogProbabilities, type ClassMetricOptions, type Scored } from "./scores.ts";

/** The mean of -log p of the label. @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html */
export function logLoss(options: ClassMetricOptions = {}): Metric {
  return meanMetric("logLoss", options, entropyOf(options), (mean) => mean);
}

/** e to the mean of -log p of the label: between how many tokens the model is undecided. */
export function perplexity(options: ClassMetricOptions = {}): Metric {
  return meanMetric("perplexity", options, entropyOf(options), Math.exp);
}

/** The mean of (p - y)^2; of more than two classes summed over them. @see G. W. Brier, Verification of forecasts expressed in terms of probability (1950) */
export function brier(options: ClassMetricOptions = {}): Metric {
  const cost = ({ label, scores }: Scored): number => {
    const squares = toLogProbabilities(scores, options).map((log, i) => (Math.exp(log) - (i === label ? 1 : 0)) ** 2);
    return squares.reduce((sum, square) => sum + square, 0) / (scores.length === 2 ? 2 : 1);
  };
  return meanMetric("brier", options, cost, (mean) => mean);
}

/**
 * Expected calibration error: how far confidence is from accuracy, over bins of equal width of the largest probability. Default 15 bins.
 *
 * @throws ARGUMENT_INVALID
 * @see C. Guo et al., On calibration of modern neural networks (2017)
 */
export function calibrationError({ bins = 15, ...options }: ClassMetricOptions & { readonly bins?: number } = {}): Metric {
  checkWhole("calibrationError", { bins });
  const { output = "logits" } = options;
  return {
    name: "calibrationError",
    output,
    start() {
      const sums = Array.from({ length: bins }, () => ({ confidence: 0, right: 0, weight: 0 }));
      return {
        add(outputs, labels, weights) {
          eachScored({ values: outputs[output], labels, weights }, options, ({ label, scores, weight }) => {
            const best = largest(scores, 0, scores.length);
            const confidence = Math.exp(toLogProbabilities(scores, options)[best] ?? 0);
            const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))]; // bins are open below and closed above
            if (bin === undefined) return;
            bin.confidence += weight * confidence;
            bin.right += best === label ? weight : 0;
            bin.weight += weight;
          });
        },
        result() {
          const total = sums.reduce((sum, { weight }) => sum + weight, 0);
          return sums.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0) / total;
        },
      };
    },
  };
}

function entropyOf(options: ClassMetricOptions): (scored: Scored) => number {
  return ({ label, scores }) => -(toLogProbabilities(scores, options)[label] ?? -Infinity);
}

function meanMetric(name: string, options: ClassMetricOptions, cost: (scored: Scored) => number, finish: (mean: number) => number): Metric {
  const { output = "logits" } = options;
  return {
    name,
    output,
    start() {
      let sum = 0;
      let total = 0;
      return {
        add(outputs, labels, weights) {
          eachScored({ values: outputs[output], labels, weights }, options, (scored) => {
            sum += scored.weight * cost(scored);
            total += scored.weight;
          });
        },
        result: () => finish(sum / total),
      };
    },
  };
}
