import { checkWhole } from "./arguments.ts";
import type { Metric } from "./metric.ts";
import { eachScored, largest, type ClassMetricOptions } from "./scores.ts";

/** The share of places whose largest score is the label's; the first of equal ones counts. For questions: whether yes is more likely than no. */
export function accuracy(options: ClassMetricOptions = {}): Metric {
  return shareMetric("accuracy", options, (label, scores) => largest(scores, 0, scores.length) === label);
}

/** The share of yes-or-no questions answered right: every unit by itself. @param options.threshold of the probability above which the answer is yes; default 0.5 */
export function binaryAccuracy({ threshold = 0.5, ...options }: ClassMetricOptions & { readonly threshold?: number } = {}): Metric {
  const { fromLogits = true } = options;
  const bound = fromLogits ? Math.log(threshold / (1 - threshold)) : threshold;
  return shareMetric("binaryAccuracy", { ...options, multiLabel: true }, (label, [, yes = 0]) => Number(yes > bound) === label);
}

/** The share of places whose label is among the `k` largest scores. Default 5. @throws ARGUMENT_INVALID */
export function topKAccuracy({ k = 5, ...options }: ClassMetricOptions & { readonly k?: number } = {}): Metric {
  checkWhole("topKAccuracy", { k });
  return shareMetric(`top${k}Accuracy`, options, (label, scores) => {
    const own = scores[label] ?? -Infinity;
    let before = 0;
    for (const [i, score] of scores.entries()) if (score > own || (score === own && i < label)) before += 1;
    return before < k;
  });
}

function shareMetric(name: string, options: ClassMetricOptions, isRight: (label: number, scores: Float64Array) => boolean): Metric {
  const { output = "logits" } = options;
  return {
    name,
    output,
    start() {
      let right = 0;
      let total = 0;
      return {
        add(outputs, labels, weights) {
          eachScored({ values: outputs[output], labels, weights }, options, ({ label, scores, weight }) => {
            right += isRight(label, scores) ? weight : 0;
            total += weight;
          });
        },
        result: () => right / total,
      };
    },
  };
}
