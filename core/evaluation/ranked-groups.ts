/** Rows of about the same score: how much of them is positive and negative. */
export interface RankedGroup {
  readonly positive: number;
  readonly negative: number;
}

/** Rows with their scores, whether each is positive, and how much it counts; default 1. */
export interface ScoredRows {
  readonly scores: ArrayLike<number>;
  readonly isPositive: (row: number) => boolean;
  readonly weight?: (row: number) => number;
}

/** The rows in groups of equal scores, the highest first. */
export function rankedGroups({ scores, isPositive, weight = () => 1 }: ScoredRows): readonly RankedGroup[] {
  const order = Array.from({ length: scores.length }, (_, row) => row).toSorted((a, b) => (scores[b] as number) - (scores[a] as number)); // rows of the scores
  const groups: { positive: number; negative: number }[] = [];
  let last: number | undefined;
  for (const row of order) {
    let group = groups.at(-1);
    if (group === undefined || scores[row] !== last) {
      group = { positive: 0, negative: 0 };
      groups.push(group);
    }
    last = scores[row];
    if (isPositive(row)) group.positive += weight(row);
    else group.negative += weight(row);
  }
  return groups;
}

/**
 * The chance that a positive row is ranked above a negative one, ties counting half: the area under the ROC curve.
 *
 * @returns undefined when one of the two is absent
 * @see the rank-sum form: H. B. Mann, D. R. Whitney, On a test of whether one of two random variables is stochastically larger than the other, 1947
 */
export function areaUnderRoc(groups: readonly RankedGroup[]): number | undefined {
  let above = 0;
  let negatives = 0;
  let pairs = 0;
  for (const { positive, negative } of groups) {
    pairs += negative * (above + positive / 2);
    above += positive;
    negatives += negative;
  }
  return above > 0 && negatives > 0 ? pairs / (above * negatives) : undefined;
}

/**
 * Average precision: precision at every group, weighted by the recall that it adds. The area under the precision-recall curve as steps.
 *
 * @returns undefined when nothing is positive
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html
 */
export function averagePrecision(groups: readonly RankedGroup[]): number | undefined {
  let [positives, all, area] = [0, 0, 0];
  for (const { positive, negative } of groups) {
    positives += positive;
    all += positive + negative;
    area += positive === 0 ? 0 : (positive * positives) / all;
  }
  return positives > 0 ? area / positives : undefined;
}
