import { EspalierError } from "../../errors.ts";
import {
  classScore,
  cohenKappaScore,
  matthewsCorrelation,
  meanIntersectionOverUnion,
  type Average,
  type ConfusionCounts,
} from "../../evaluation/confusion-scores.ts";
import type { Tensor, Tensors } from "../../tensor.ts";
import type { Metric } from "./metric.ts";
import { eachScored, largest, type ClassMetricOptions } from "./scores.ts";

/** A confusion matrix that is filled batch by batch. */
export interface ConfusionMatrix {
  /** As of `MetricSums`. */
  add(outputs: Tensors, labels: Tensor, weights?: Tensor): void;
  /** How often each class (row) was taken for each class (column), by weight: [classes][classes]. */
  counts(): ConfusionCounts;
}

/** An empty confusion matrix; it grows to the classes that it sees. Of questions, class 1 is yes. */
export function createConfusionMatrix(options: ClassMetricOptions = {}): ConfusionMatrix {
  const { output = "logits" } = options;
  const counts: number[][] = [];
  return {
    add(outputs, labels, weights) {
      eachScored({ values: outputs[output], labels, weights }, options, ({ label, scores, weight }) => {
        grow(counts, Math.max(scores.length, label + 1));
        const row = counts[label] as number[]; // the matrix has just grown to it
        const answer = largest(scores, 0, scores.length);
        row[answer] = (row[answer] ?? 0) + weight;
      });
    },
    counts: () => counts.map((row) => row.slice()),
  };
}

/** How several classes become one number; by default "binary" for two classes (class 1 alone) and "macro" for more. */
export interface AveragedMetricOptions extends ClassMetricOptions {
  readonly average?: Average;
}

/** How much of what was taken for a class is of it. @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_score.html */
export function precision(options: AveragedMetricOptions = {}): Metric {
  return ofCounts("precision", options, (counts) => classScore(counts, { average: averageOf(counts, options), score: "precision" }));
}

/** How much of a class was found. @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.recall_score.html */
export function recall(options: AveragedMetricOptions = {}): Metric {
  return ofCounts("recall", options, (counts) => classScore(counts, { average: averageOf(counts, options), score: "recall" }));
}

/** The harmonic mean of both, where recall counts `beta` times as much. Default 1: F1. @throws ARGUMENT_INVALID @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.fbeta_score.html */
export function fBeta({ beta = 1, ...options }: AveragedMetricOptions & { readonly beta?: number } = {}): Metric {
  if (!(beta > 0 && Number.isFinite(beta)))
    throw new EspalierError("ARGUMENT_INVALID", `fBeta: beta must be a number above 0, not ${beta}`, { beta });
  return ofCounts(`f${beta}`, options, (counts) => classScore(counts, { average: averageOf(counts, options), score: "fBeta", beta }));
}

/** The correlation of labels and answers, from -1 to 1: fair when classes are of very different size. @see B. W. Matthews (1975) */
export function matthews(options: ClassMetricOptions = {}): Metric {
  return ofCounts("matthews", options, matthewsCorrelation);
}

/** Agreement of labels and answers beyond chance. @see J. Cohen, A coefficient of agreement for nominal scales (1960) */
export function cohenKappa(options: ClassMetricOptions = {}): Metric {
  return ofCounts("cohenKappa", options, cohenKappaScore);
}

/** The mean over the classes of the overlap over the union of what is and what was taken for it: of pixels, [batch, height, width, classes]. */
export function meanIoU(options: ClassMetricOptions = {}): Metric {
  return ofCounts("meanIoU", options, meanIntersectionOverUnion);
}

/** The overlap over the union of yes in labels and answers. */
export function binaryIoU(options: ClassMetricOptions = {}): Metric {
  return ofCounts("iou", { ...options, multiLabel: true }, (counts) => {
    const both = counts[1]?.[1] ?? 0;
    return both / (both + (counts[1]?.[0] ?? 0) + (counts[0]?.[1] ?? 0));
  });
}

function ofCounts(name: string, options: ClassMetricOptions, result: (counts: ConfusionCounts) => number): Metric {
  return {
    name,
    output: options.output ?? "logits",
    start() {
      const matrix = createConfusionMatrix(options);
      return { add: (outputs, labels, weights) => matrix.add(outputs, labels, weights), result: () => result(matrix.counts()) };
    },
  };
}

function averageOf(counts: ConfusionCounts, { average }: AveragedMetricOptions): Average {
  return average ?? (counts.length <= 2 ? "binary" : "macro");
}

function grow(counts: number[][], size: number): void {
  if (counts.length >= size) return;
  while (counts.length < size) counts.push([]);
  for (const row of counts) while (row.length < size) row.push(0);
}
