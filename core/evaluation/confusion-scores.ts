/** Weighted counts: how often each class (row) was taken for each class (column). */
export type ConfusionCounts = readonly (readonly number[])[];

/** How scores of several classes become one. */
export type Average = "binary" | "macro" | "micro" | "weighted";

/** What a score is made of. */
export interface ClassScoreOptions {
  /** "binary": class 1 alone; "macro": the mean over the classes that occur; "weighted": by how often they are true; "micro": all decisions together. */
  readonly average: Average;
  /** Which score; for "fBeta" recall counts `beta` times as much as precision. */
  readonly score: "precision" | "recall" | "fBeta";
  readonly beta?: number;
}

/** Precision, recall or F-beta. A score whose divisor is 0 is 0. @see https://scikit-learn.org/stable/modules/model_evaluation.html#precision-recall-and-f-measures */
export function classScore(counts: ConfusionCounts, { average, score, beta = 1 }: ClassScoreOptions): number {
  const classes = counts.map((_, label) => outcomesOf(counts, label));
  const of = (outcomes: Outcomes): number => scoreOf(outcomes, score, beta);
  if (average === "binary") return classes[1] === undefined ? 0 : of(classes[1]);
  if (average === "micro") return of(classes.reduce(addOutcomes, { right: 0, actual: 0, predicted: 0 }));
  const occurring = classes.filter(({ actual, predicted }) => actual + predicted > 0);
  const weightOf = ({ actual }: Outcomes): number => (average === "weighted" ? actual : 1);
  const total = occurring.reduce((sum, outcomes) => sum + weightOf(outcomes), 0);
  return occurring.reduce((sum, outcomes) => sum + weightOf(outcomes) * of(outcomes), 0) / total;
}

/** The mean over the classes that occur of |both| / |either|. @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.jaccard_score.html */
export function meanIntersectionOverUnion(counts: ConfusionCounts): number {
  const ratios = counts.flatMap((_, label) => {
    const { right, actual, predicted } = outcomesOf(counts, label);
    return actual + predicted > 0 ? [right / (actual + predicted - right)] : [];
  });
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

/** The correlation of truth and answers, from -1 to 1; 0 when one of them never varies. @see B. W. Matthews, 1975; J. Gorodkin, Comparing two K-category assignments, 2004 */
export function matthewsCorrelation(counts: ConfusionCounts): number {
  const { right, total, actual, predicted } = marginsOf(counts);
  const together = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0); // of one length
  const spread = Math.sqrt((total ** 2 - together(predicted, predicted)) * (total ** 2 - together(actual, actual)));
  return spread === 0 ? 0 : (right * total - together(actual, predicted)) / spread;
}

/** Agreement beyond chance, at most 1. @see J. Cohen, A coefficient of agreement for nominal scales, 1960 */
export function cohenKappaScore(counts: ConfusionCounts): number {
  const { right, total, actual, predicted } = marginsOf(counts);
  const chance = actual.reduce((sum, value, i) => sum + value * (predicted[i] as number), 0) / total ** 2; // of one length
  return chance === 1 ? 1 : (right / total - chance) / (1 - chance);
}

interface Outcomes {
  readonly right: number;
  readonly actual: number;
  readonly predicted: number;
}

function outcomesOf(counts: ConfusionCounts, label: number): Outcomes {
  return {
    right: counts[label]?.[label] ?? 0,
    actual: (counts[label] ?? []).reduce((sum, count) => sum + count, 0),
    predicted: counts.reduce((sum, row) => sum + (row[label] ?? 0), 0),
  };
}

function addOutcomes(a: Outcomes, b: Outcomes): Outcomes {
  return { right: a.right + b.right, actual: a.actual + b.actual, predicted: a.predicted + b.predicted };
}

function scoreOf({ right, actual, predicted }: Outcomes, score: ClassScoreOptions["score"], beta: number): number {
  const ratio = (divisor: number): number => (divisor === 0 ? 0 : right / divisor);
  if (score === "precision") return ratio(predicted);
  if (score === "recall") return ratio(actual);
  const divisor = beta ** 2 * actual + predicted;
  return divisor === 0 ? 0 : ((1 + beta ** 2) * right) / divisor;
}

function marginsOf(counts: ConfusionCounts): { right: number; total: number; actual: readonly number[]; predicted: readonly number[] } {
  const classes = counts.map((_, label) => outcomesOf(counts, label));
  return {
    right: classes.reduce((sum, { right }) => sum + right, 0),
    total: classes.reduce((sum, { actual }) => sum + actual, 0),
    actual: classes.map(({ actual }) => actual),
    predicted: classes.map(({ predicted }) => predicted),
  };
}
