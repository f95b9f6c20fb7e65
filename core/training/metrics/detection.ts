import { EspalierError } from "../../errors.ts";
import { checkWhole } from "./arguments.ts";
import { boxAt, boxOverlap, type BoxFormat, type Scene, type TrueBox } from "./box-matching.ts";
import { curveOf, emptyTally, judge, type ClassCurve, type ClassTally, type SizeRange } from "./detection-tally.ts";

/** Boxes that a model found, in lists that run in parallel. */
export interface DetectedBoxes {
  /** The image of each. */
  readonly images: ArrayLike<number>;
  /** Four numbers each. */
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly classes: ArrayLike<number>;
}

/** Boxes that are there, in lists that run in parallel. */
export interface TrueBoxes extends Omit<DetectedBoxes, "scores"> {
  /** Not 0 where the box stands for a group. Default: none does. */
  readonly crowds?: ArrayLike<number>;
  /** Sizes by which boxes are small, medium or large. Default: those of the boxes. */
  readonly areas?: ArrayLike<number>;
}

/** COCO's figures, from 0 to 1; undefined where there is no such box. */
export interface DetectionScores {
  /** Mean average precision over classes and thresholds. */
  readonly map: number | undefined;
  /** At an overlap of 0.5 and 0.75; undefined too when that is none of the thresholds. */
  readonly map50: number | undefined;
  readonly map75: number | undefined;
  /** Of boxes up to 32 x 32, up to 96 x 96, and larger. */
  readonly mapSmall: number | undefined;
  readonly mapMedium: number | undefined;
  readonly mapLarge: number | undefined;
  /** Mean recall over classes and thresholds, by the number of detections an image and class that count. */
  readonly mar: Readonly<Record<number, number | undefined>>;
  readonly marSmall: number | undefined;
  readonly marMedium: number | undefined;
  readonly marLarge: number | undefined;
  /** `map` of each class that is there. */
  readonly classes: Readonly<Record<number, number>>;
}

/** How boxes are compared. */
export interface DetectionOptions {
  /** Default "xyxy". */
  readonly format?: BoxFormat;
  /** Overlaps from which a detection is right. Default 0.5, 0.55 ... 0.95. */
  readonly thresholds?: readonly number[];
  /** Detections an image and class that count, rising. Default 1, 10, 100. */
  readonly maxDetections?: readonly number[];
}

/** COCO's evaluation of detections, image by image. */
export interface DetectionPrecision {
  /**
   * Adds whole images: all boxes that were found in them, and all that are there.
   *
   * @throws ARGUMENT_INVALID for lists of unequal length, numbers that are none, boxes turned inside out, or an image that was added before
   */
  add(found: DetectedBoxes, there: TrueBoxes): void;
  result(): DetectionScores;
}

// As NumPy's linspace(0.5, 0.95, 10) rounds them.
const cocoThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9)));

/**
 * Mean average precision and recall of boxes as COCO counts them: a detection is right when it overlaps a box of its class that no better one took; precision is
 * read at 101 recalls, and averaged over classes and over overlaps from 0.5 to 0.95. Boxes are let go as soon as their images are added; detections of equal
 * scores count in the order of adding.
 *
 * @throws ARGUMENT_INVALID for thresholds outside 0 to 1 and counts that do not rise
 * @see T.-Y. Lin et al., Microsoft COCO: common objects in context (2014), and https://cocodataset.org/#detection-eval
 * @example
 * const precision = createDetectionPrecision();
 * precision.add({ images: [7], boxes: [10, 10, 50, 60], scores: [0.9], classes: [1] }, { images: [7], boxes: [12, 9, 50, 58], classes: [1] });
 * console.log(precision.result().map);
 */
export function createDetectionPrecision({
  format = "xyxy",
  thresholds = cocoThresholds,
  maxDetections = [1, 10, 100],
}: DetectionOptions = {}): DetectionPrecision {
  checkOptions({ thresholds, maxDetections });
  const most = maxDetections.at(-1) ?? 0;
  const seen = new Set<number>();
  const tallies = new Map<number, ClassTally>();
  return {
    add(found, there) {
      checkLists("found", { ...found, count: found.classes.length });
      checkLists("there", { ...there, count: there.classes.length });
      const images = new Set([...Array.from(found.images), ...Array.from(there.images)]);
      for (const image of images)
        if (seen.has(image)) throw invalid(`image ${image} was added before; give all boxes of an image at once`, { image });
      for (const image of images) seen.add(image);
      for (const part of partsOf(found, there)) {
        const tally = tallies.get(part.class) ?? emptyTally();
        tallies.set(part.class, tally);
        const ranked = part.found.toSorted((a, b) => Number(found.scores[b]) - Number(found.scores[a])).slice(0, most);
        const scores = ranked.map((i) => Number(found.scores[i]));
        judge(tally, sceneOf({ found, there, format }, { ranked, there: part.there }), { scores, thresholds });
      }
    },
    result: () => scoresOf(tallies, { thresholds, maxDetections }),
  };
}

/** The places of one image's boxes of one class. */
interface Part {
  readonly class: number;
  readonly found: number[];
  readonly there: number[];
}

function partsOf(found: DetectedBoxes, there: TrueBoxes): Iterable<Part> {
  const parts = new Map<string, Part>();
  const partAt = ({ images, classes }: Omit<DetectedBoxes, "scores">, i: number): Part => {
    const key = `${images[i]} ${classes[i]}`;
    const part = parts.get(key) ?? { class: Number(classes[i]), found: [], there: [] };
    parts.set(key, part);
    return part;
  };
  for (let i = 0; i < found.classes.length; i++) partAt(found, i).found.push(i);
  for (let i = 0; i < there.classes.length; i++) partAt(there, i).there.push(i);
  return parts.values();
}

interface Boxes {
  readonly found: DetectedBoxes;
  readonly there: TrueBoxes;
  readonly format: BoxFormat;
}

function sceneOf({ found, there, format }: Boxes, places: { readonly ranked: readonly number[]; readonly there: readonly number[] }): Scene {
  const detections = places.ranked.map((i) => boxAt(found.boxes, 4 * i, format));
  const truths = places.there.map((i): TrueBox => {
    const box = boxAt(there.boxes, 4 * i, format);
    return { ...box, area: there.areas === undefined ? box.width * box.height : Number(there.areas[i]), crowd: (there.crowds?.[i] ?? 0) !== 0 };
  });
  for (const { x, y, width, height } of [...detections, ...truths]) {
    if (width >= 0 && height >= 0) continue;
    throw invalid(`a box at (${x}, ${y}) is ${width} wide and ${height} high; boxes are "${format}", with the smaller corner first`, { format });
  }
  return { detections, truths, overlaps: detections.map((box) => truths.map((truth) => boxOverlap(box, truth))) };
}

type Evaluation = Required<Pick<DetectionOptions, "thresholds" | "maxDetections">>;

function scoresOf(tallies: ReadonlyMap<number, ClassTally>, { thresholds, maxDetections }: Evaluation): DetectionScores {
  const last = maxDetections.at(-1) ?? 0;
  const ordered = [...tallies].toSorted(([a], [b]) => a - b);
  const curvesOf = (range: SizeRange, most: number): ReadonlyMap<number, ClassCurve> => {
    const curves = ordered.map(([name, tally]) => [name, curveOf(tally, { range, most, thresholds: thresholds.length })] as const);
    return new Map(curves.flatMap(([name, curve]) => (curve === undefined ? [] : [[name, curve]])));
  };
  const [all, small, medium, large] = [curvesOf("all", last), curvesOf("small", last), curvesOf("medium", last), curvesOf("large", last)] as const;
  const precisionOf = (curves: ReadonlyMap<number, ClassCurve>): number | undefined =>
    mean([...curves.values()].flatMap(({ precision }) => precision));
  const recallOf = (curves: ReadonlyMap<number, ClassCurve>): number | undefined => mean([...curves.values()].flatMap(({ recall }) => recall));
  const precisionAt = (threshold: number): number | undefined => {
    const place = thresholds.findIndex((other) => Math.abs(other - threshold) < 1e-9);
    return place < 0 ? undefined : mean([...all.values()].map(({ precision }) => precision[place] ?? Number.NaN));
  };
  return {
    map: precisionOf(all),
    map50: precisionAt(0.5),
    map75: precisionAt(0.75),
    mapSmall: precisionOf(small),
    mapMedium: precisionOf(medium),
    mapLarge: precisionOf(large),
    mar: Object.fromEntries(maxDetections.map((most) => [most, recallOf(curvesOf("all", most))])),
    marSmall: recallOf(small),
    marMedium: recallOf(medium),
    marLarge: recallOf(large),
    classes: Object.fromEntries([...all].map(([name, { precision }]) => [name, mean(precision) ?? Number.NaN])),
  };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function checkOptions({ thresholds, maxDetections }: Evaluation): void {
  const bad = thresholds.find((threshold) => !(threshold > 0 && threshold <= 1));
  if (bad !== undefined || thresholds.length === 0)
    throw invalid(`thresholds must be numbers above 0 up to 1, not ${thresholds.length === 0 ? "none" : bad}`, { thresholds });
  for (const count of maxDetections) checkWhole("createDetectionPrecision", { maxDetections: count });
  if (maxDetections.length === 0 || maxDetections.some((count, i) => i > 0 && count <= (maxDetections[i - 1] ?? 0)))
    throw invalid(`maxDetections must be counts that rise, not [${maxDetections.join(", ")}]`, { maxDetections });
}

type Lists = Readonly<Partial<Record<"images" | "boxes" | "scores" | "classes" | "crowds" | "areas", ArrayLike<number>>>>;

function checkLists(which: "found" | "there", { count, ...lists }: Lists & { readonly count: number }): void {
  for (const [name, values] of Object.entries(lists)) {
    const wanted = name === "boxes" ? 4 * count : count;
    if (values.length !== wanted)
      throw invalid(
        `of ${count} boxes that are ${which === "found" ? "found" : "there"}, ${name} must have ${wanted} numbers, not ${values.length}`,
        { [name]: values.length },
      );
    const bad = Array.from(values).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw invalid(`${name}[${bad}] of the boxes that are ${which} is ${values[bad]}, not a finite number`, { [name]: bad });
  }
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): EspalierError {
  return new EspalierError("ARGUMENT_INVALID", `createDetectionPrecision: ${message}`, details);
}
