import { areaUnderRoc, averagePrecision, rankedGroups, type RankedGroup } from "../../evaluation/ranked-groups.ts";
import { checkChoice } from "../../nearest.ts";
import type { Metric } from "./metric.ts";
import { eachScored, toLogProbabilities, type ClassMetricOptions } from "./scores.ts";

/** Which curve. */
export interface AucOptions extends ClassMetricOptions {
  /** "ROC", or "PR": average precision. Default "ROC". */
  readonly curve?: "ROC" | "PR";
}

/** Places that are kept as they are; their area is exact. */
const exactPlaces = 2 ** 17;

/** Beyond those, logits are told apart by these many steps between -`range` and `range`. */
const thresholds = 2 ** 14;
const range = 20;

/**
 * The area under a curve over all thresholds. Of more than two classes: the mean over the classes of each against the rest.
 *
 * Exact, ties included, up to 131,072 places; with more, scores are counted at 16,384 thresholds of the logit from -20 to 20, and what falls between two counts as a
 * tie. NaN when the labels are all of one class.
 *
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.roc_auc_score.html
 */
export function auc({ curve = "ROC", ...options }: AucOptions = {}): Metric {
  checkChoice("auc", "curve", curve, ["ROC", "PR"]);
  const { output = "logits" } = options;
  const area = curve === "ROC" ? areaUnderRoc : averagePrecision;
  return {
    name: curve === "ROC" ? "auc" : "averagePrecision",
    output,
    start() {
      const classes: Curve[] = [];
      return {
        add(outputs, labels, weights) {
          eachScored({ values: outputs[output], labels, weights }, options, ({ label, scores, weight }) => {
            const logs = toLogProbabilities(scores, options);
            // Of two classes one curve is enough: the logit of class 1.
            const rated = logs.length === 2 ? [(logs[1] ?? 0) - (logs[0] ?? 0)] : Array.from(logs, logit);
            rated.forEach((score, i) => {
              classes[i] ??= createCurve();
              classes[i].add(score, label === (logs.length === 2 ? 1 : i), weight);
            });
          });
        },
        result() {
          const areas = classes.flatMap((one) => area(one.groups()) ?? []);
          return areas.reduce((sum, value) => sum + value, 0) / areas.length;
        },
      };
    },
  };
}

/** log(p / (1 - p)) from log p. */
function logit(log: number): number {
  return log - Math.log1p(-Math.exp(Math.min(log, -1e-15)));
}

interface Curve {
  add(score: number, isPositive: boolean, weight: number): void;
  groups(): readonly RankedGroup[];
}

function createCurve(): Curve {
  let kept: { readonly score: number; readonly isPositive: boolean; readonly weight: number }[] = [];
  let bins: { positive: number; negative: number }[] | undefined;
  const count = (score: number, isPositive: boolean, weight: number): void => {
    const place = Math.min(thresholds - 1, Math.max(0, Math.floor(((range - score) / (2 * range)) * thresholds))); // the highest first
    const bin = bins?.[place];
    if (bin === undefined) return;
    if (isPositive) bin.positive += weight;
    else bin.negative += weight;
  };
  return {
    add(score, isPositive, weight) {
      if (bins !== undefined) return count(score, isPositive, weight);
      kept.push({ score, isPositive, weight });
      if (kept.length <= exactPlaces) return;
      bins = Array.from({ length: thresholds }, () => ({ positive: 0, negative: 0 }));
      for (const one of kept) count(one.score, one.isPositive, one.weight);
      kept = [];
    },
    groups() {
      if (bins !== undefined) return bins;
      return rankedGroups({
        scores: kept.map(({ score }) => score),
        isPositive: (row) => kept[row]?.isPositive === true,
        weight: (row) => kept[row]?.weight ?? 0,
      });
    },
  };
}
