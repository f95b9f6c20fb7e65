import type { Tensor, TypedArray } from "../../tensor.ts";
import { numbers, rowWeight } from "./metric.ts";

/** What class metrics read. */
export interface ClassMetricOptions {
  /** Scores [batch, ..., classes], or [batch, ...] of yes-or-no questions. Default "logits". */
  readonly output?: string;
  /** Whether the output is before its softmax or sigmoid; else it is probabilities. Default true. */
  readonly fromLogits?: boolean;
  /** Whether every unit is a yes-or-no question of its own. By default it is when there is one unit a label and labels have the output's shape. */
  readonly multiLabel?: boolean;
}

/** One labelled place: of a row, a sequence's step, a pixel, or a question of a row. */
export interface Scored {
  /** The true class; for a question 0 or 1. */
  readonly label: number;
  /** The classes' scores; of a question those of no and yes, as logits 0 and x, as probabilities 1 - p and p. */
  readonly scores: Float64Array;
  readonly weight: number;
}

/**
 * Calls `see` for every labelled place of a batch. Labels are class numbers, of which those below 0 are left out, or one-hot (soft ones count as their largest),
 * or 0 and 1 for questions. `scores` is used again for the next place.
 */
export function eachScored(
  { values, labels, weights }: { readonly values: Tensor | undefined; readonly labels: Tensor; readonly weights: Tensor | undefined },
  { fromLogits = true, multiLabel }: ClassMetricOptions,
  see: (scored: Scored) => void,
): void {
  if (values === undefined) return; // fit refuses a metric whose output is not there
  const data = numbers(values);
  const truth = numbers(labels);
  const dense = truth.length === data.length;
  const units = values.shape.at(-1) ?? 1;
  const isQuestion = multiLabel ?? (dense && units === 1);
  const width = isQuestion ? 1 : units;
  const places = data.length / width;
  const perRow = places / (values.shape[0] ?? 1);
  const scores = new Float64Array(isQuestion ? 2 : width);
  for (let place = 0; place < places; place++) {
    const label = isQuestion ? Number(Number(truth[place]) > 0.5) : dense ? largest(truth, place * width, width) : Number(truth[place]);
    if (label < 0) continue;
    if (isQuestion) {
      const yes = Number(data[place]);
      scores[0] = fromLogits ? 0 : 1 - yes;
      scores[1] = yes;
    } else for (let k = 0; k < width; k++) scores[k] = Number(data[place * width + k]);
    see({ label, scores, weight: rowWeight(weights, Math.floor(place / perRow)) });
  }
}

/** The place of the largest of `count` values, counted from `start`; the first of equal ones. */
export function largest(values: TypedArray, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if ((values[start + i] as number) > (values[start + best] as number)) best = i; // both are inside the row
  return best;
}

/** log p of each class, in place of the scores. */
export function toLogProbabilities(scores: Float64Array, { fromLogits = true }: ClassMetricOptions): Float64Array {
  if (!fromLogits) return scores.map((probability) => Math.log(Math.max(leastProbability, probability)));
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0)) + most;
  return scores.map((score) => score - total);
}

/** The smallest probability whose logarithm is taken. */
const leastProbability = 1e-15;
