/** Boxes as corners, as a corner and a size, or as a centre and a size: four numbers each, x before y. */
export type BoxFormat = "xyxy" | "xywh" | "cxcywh";

/** A box as corner and size. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A box that is there. */
export interface TrueBox extends Box {
  readonly area: number;
  /** Stands for a group: any number of detections may lie in it, and none must. */
  readonly crowd: boolean;
}

/** Whose sizes count: areas from `least` to `most`. */
export interface AreaRange {
  readonly least: number;
  readonly most: number;
}

/** What a detection came to at one threshold: wrong, right, or not counted. */
export const outcome = { wrong: 0, right: 1, ignored: 2 } as const;

/** The four numbers of a box from `at` on. */
export function boxAt(numbers: ArrayLike<number>, at: number, format: BoxFormat): Box {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => Number(numbers[at + i])) as [number, number, number, number]; // four numbers a box
  switch (format) {
    case "xyxy":
      return { x: a, y: b, width: c - a, height: d - b };
    case "xywh":
      return { x: a, y: b, width: c, height: d };
    case "cxcywh":
      return { x: a - c / 2, y: b - d / 2, width: c, height: d };
    default:
      return format satisfies never;
  }
}

/** Intersection over union; of a crowd over the detection alone. */
export function boxOverlap(detection: Box, truth: TrueBox): number {
  const width = Math.min(detection.x + detection.width, truth.x + truth.width) - Math.max(detection.x, truth.x);
  const height = Math.min(detection.y + detection.height, truth.y + truth.height) - Math.max(detection.y, truth.y);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  const area = detection.width * detection.height;
  return common / (truth.crowd ? area : area + truth.width * truth.height - common);
}

/** One image's boxes of one class. */
export interface Scene {
  /** The best score first. */
  readonly detections: readonly Box[];
  readonly truths: readonly TrueBox[];
  /** Of each detection with each truth. */
  readonly overlaps: readonly (readonly number[])[];
}

/**
 * Gives each detection, the best first, the truth that it overlaps most and that no better one took: COCO's rule. Truths outside the range and crowds are given
 * last, and whoever gets one does not count.
 *
 * @param thresholds the least overlaps that count
 * @returns an `outcome` for each detection (rows) and threshold (columns), row-major
 * @see https://cocodataset.org/#detection-eval
 */
export function matchBoxes(
  { detections, truths, overlaps }: Scene,
  { thresholds, range }: { readonly thresholds: readonly number[]; readonly range: AreaRange },
): Uint8Array {
  const isOutside = (area: number): boolean => area < range.least || area > range.most;
  const ignored = truths.map(({ area, crowd }) => crowd || isOutside(area));
  const order = truths.map((_, i) => i).toSorted((a, b) => Number(ignored[a]) - Number(ignored[b]));
  const outcomes = new Uint8Array(detections.length * thresholds.length);
  for (const [t, threshold] of thresholds.entries()) {
    const taken = new Set<number>();
    for (const [d, { width, height }] of detections.entries()) {
      const found = bestTruth({
        threshold,
        overlaps: overlaps[d] ?? [],
        order,
        ignored,
        isFree: (truth) => !taken.has(truth) || truths[truth]?.crowd === true,
      });
      if (found !== undefined) taken.add(found);
      const counts = found === undefined ? !isOutside(width * height) : ignored[found] === false;
      outcomes[d * thresholds.length + t] = counts ? (found === undefined ? outcome.wrong : outcome.right) : outcome.ignored;
    }
  }
  return outcomes;
}

interface Search {
  readonly threshold: number;
  readonly overlaps: readonly number[];
  /** Truths that count first. */
  readonly order: readonly number[];
  readonly ignored: readonly boolean[];
  readonly isFree: (truth: number) => boolean;
}

/** A truth that counts goes before one that does not, whatever their overlaps; of equal overlaps the last. */
function bestTruth({ threshold, overlaps, order, ignored, isFree }: Search): number | undefined {
  let found: number | undefined;
  let most = Math.min(threshold, 1 - 1e-10); // a threshold of 1 is met by equal boxes, however they were rounded
  for (const truth of order) {
    if (!isFree(truth)) continue;
    if (found !== undefined && ignored[found] === false && ignored[truth] === true) break;
    const overlap = overlaps[truth] ?? 0;
    if (overlap < most) continue;
    most = overlap;
    found = truth;
  }
  return found;
}
