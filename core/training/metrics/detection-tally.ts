import type { AreaRange, Scene } from "./box-matching.ts";
import { matchBoxes, outcome } from "./box-matching.ts";

// The very numbers of pycocotools, roundings included: a recall may lie on a threshold.
const recallThresholds: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/** COCO's sizes of boxes. */
export type SizeRange = "all" | "small" | "medium" | "large";

const ranges: Readonly<Record<SizeRange, AreaRange>> = {
  all: { least: 0, most: 1e10 },
  small: { least: 0, most: 32 ** 2 },
  medium: { least: 32 ** 2, most: 96 ** 2 },
  large: { least: 96 ** 2, most: 1e10 },
};
const rangeNames: readonly SizeRange[] = ["all", "small", "medium", "large"];

/** What is kept of a detection once its image was looked at. */
interface Judged {
  readonly score: number;
  /** Among its image's detections of the class, from 0. */
  readonly rank: number;
  /** An outcome for each threshold. */
  readonly outcomes: Readonly<Record<SizeRange, Uint8Array>>;
}

/** One class over all images. */
export interface ClassTally {
  readonly judged: Judged[];
  /** Truths that count. */
  readonly there: Record<SizeRange, number>;
}

/** Precision and recall of one class in one range. */
export interface ClassCurve {
  /** For each threshold, the mean precision over 101 recalls. */
  readonly precision: readonly number[];
  /** For each threshold. */
  readonly recall: readonly number[];
}

/** A class of which nothing was seen. */
export function emptyTally(): ClassTally {
  return { judged: [], there: { all: 0, small: 0, medium: 0, large: 0 } };
}

/** Adds one image's boxes of a class. @param scores of the scene's detections */
export function judge(
  { judged, there }: ClassTally,
  scene: Scene,
  { scores, thresholds }: { readonly scores: readonly number[]; readonly thresholds: readonly number[] },
): void {
  const matched = rangeNames.map((name) => [name, matchBoxes(scene, { thresholds, range: ranges[name] })] as const);
  for (const name of rangeNames) {
    const { least, most } = ranges[name];
    there[name] += scene.truths.filter(({ crowd, area }) => !crowd && area >= least && area <= most).length;
  }
  for (const [rank, score] of scores.entries()) {
    const places = [rank * thresholds.length, (rank + 1) * thresholds.length] as const;
    const outcomes = Object.fromEntries(matched.map(([name, all]) => [name, all.slice(...places)])) as Record<SizeRange, Uint8Array>; // every range's name
    judged.push({ score, rank, outcomes });
  }
}

/** The curve of a class with so many detections an image; undefined where no truth counts. */
export function curveOf(
  { judged, there }: ClassTally,
  { range, most, thresholds }: { readonly range: SizeRange; readonly most: number; readonly thresholds: number },
): ClassCurve | undefined {
  const total = there[range];
  if (total === 0) return undefined;
  const counted = judged.filter(({ rank }) => rank < most).toSorted((a, b) => b.score - a.score);
  const curves = Array.from({ length: thresholds }, (_, t) => {
    const outcomes = counted.map(({ outcomes: all }) => all[range][t]).filter((found) => found !== outcome.ignored);
    return atRecalls(outcomes, total);
  });
  return { precision: curves.map(({ precision }) => precision), recall: curves.map(({ recall }) => recall) };
}

/** The mean over recalls of the best precision at that recall or more. */
function atRecalls(outcomes: readonly (number | undefined)[], total: number): { readonly precision: number; readonly recall: number } {
  let right = 0;
  const points = outcomes.map((found, i) => {
    if (found === outcome.right) right += 1;
    return { recall: right / total, precision: right / (i + 1) };
  });
  let best = 0;
  const envelope = points
    .toReversed()
    .map(({ precision }) => (best = Math.max(best, precision)))
    .toReversed();
  let at = 0;
  let sum = 0;
  for (const threshold of recallThresholds) {
    while (at < points.length && (points[at]?.recall ?? 1) < threshold) at += 1;
    sum += envelope[at] ?? 0; // a recall that is not reached has precision 0
  }
  return { precision: sum / recallThresholds.length, recall: right / total };
}
