import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { tensor } from "../../tensor.ts";
import { createDetectionPrecision, type DetectedBoxes, type DetectionPrecision, type DetectionScores, type TrueBoxes } from "./detection.ts";
import { detectionMeanAveragePrecision } from "./detection-metric.ts";

interface GoldenBox {
  readonly image: number;
  readonly class: number;
  readonly box: readonly number[];
}

// What pycocotools computed from the same boxes (test/golden/make-detection.py), here added in parts of some images each.
const golden = JSON.parse(await readFile(new URL("../../../test/golden/detection.json", import.meta.url), "utf8")) as {
  readonly cases: readonly {
    readonly name: string;
    readonly truths: readonly (GoldenBox & { readonly area: number; readonly crowd: number })[];
    readonly found: readonly (GoldenBox & { readonly score: number })[];
    readonly figures: Readonly<Record<string, number | null>>;
    readonly classes: Readonly<Record<string, number>>;
  }[];
};
type Golden = (typeof golden.cases)[number];

const listsOf = (items: readonly GoldenBox[]): Omit<DetectedBoxes, "scores"> => ({
  images: items.map(({ image }) => image),
  boxes: items.flatMap(({ box }) => box),
  classes: items.map((item) => item.class),
});
const foundOf = (items: Golden["found"]): DetectedBoxes => ({ ...listsOf(items), scores: items.map(({ score }) => score) });
const thereOf = (items: Golden["truths"]): TrueBoxes => ({
  ...listsOf(items),
  areas: items.map(({ area }) => area),
  crowds: items.map(({ crowd }) => crowd),
});

/** With the golden file's names; what is absent there is null. */
function flat({ mar, map, map50, map75, mapSmall, mapMedium, mapLarge, marSmall, marMedium, marLarge }: DetectionScores): Record<string, unknown> {
  const figures = { map, map50, map75, mapSmall, mapMedium, mapLarge, mar1: mar[1], mar10: mar[10], mar100: mar[100], marSmall, marMedium, marLarge };
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value ?? null]));
}

describe("pycocotools computes the same figures:", () => {
  test.each(golden.cases.map((item) => [item.name, item] as const))("%s", (_name, { truths, found, figures, classes }) => {
    const precision = createDetectionPrecision({ format: "xywh" });
    const last = Math.max(...truths.map(({ image }) => image), ...found.map(({ image }) => image));
    for (let first = 1; first <= last; first += 4) {
      const isIn = ({ image }: GoldenBox): boolean => image >= first && image < first + 4;
      precision.add(foundOf(found.filter(isIn)), thereOf(truths.filter(isIn)));
    }
    const result = precision.result();
    const close = (values: Readonly<Record<string, number | null>>): Record<string, unknown> =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === null ? null : expect.closeTo(value, 12)]));
    expect(flat(result)).toEqual(close(figures));
    expect(result.classes).toEqual(close(classes));
  });
});

const corners = { images: [1], boxes: [0, 0, 10, 10], classes: [3] };
const nothing = { images: [], boxes: [], classes: [] };

function precisionOf(found: DetectedBoxes, there: TrueBoxes, options?: Parameters<typeof createDetectionPrecision>[0]): DetectionScores {
  const precision = createDetectionPrecision(options);
  precision.add(found, there);
  return precision.result();
}

test("one box counts at the thresholds that it reaches: an overlap of 0.8 is right at seven of ten", () => {
  const { map, map50, map75, mar, classes, mapSmall, mapLarge } = precisionOf({ ...corners, boxes: [0, 0, 10, 8], scores: [0.4] }, corners);
  expect(map).toBeCloseTo(0.7, 12); // 0.5, 0.55 ... 0.8
  expect([map50, map75, mapSmall, mapLarge]).toEqual([1, 1, expect.closeTo(0.7, 12), undefined]);
  expect(mar[1]).toBeCloseTo(0.7, 12);
  expect(classes).toEqual({ 3: expect.closeTo(0.7, 12) });
});

test("the same box in three formats is the same, and its image and class matter", () => {
  const found = { ...corners, scores: [1] };
  for (const [format, box] of [
    ["xyxy", [2, 4, 12, 24]],
    ["xywh", [2, 4, 10, 20]],
    ["cxcywh", [7, 14, 10, 20]],
  ] as const)
    expect(precisionOf({ ...found, boxes: box }, { ...corners, boxes: box }, { format }).map).toBe(1);
  expect(precisionOf({ ...found, images: [2] }, corners).map).toBe(0);
  expect(precisionOf({ ...found, classes: [4] }, corners)).toMatchObject({ map: 0, classes: { 3: 0 } });
});

test("nothing to find has no precision, and nothing found has none above 0", () => {
  expect(precisionOf({ ...corners, scores: [1] }, nothing)).toMatchObject({ map: undefined, map50: undefined, classes: {} });
  expect(precisionOf({ ...nothing, scores: [] }, corners)).toMatchObject({ map: 0, mar: { 100: 0 } });
  expect(createDetectionPrecision({ thresholds: [0.6] }).result()).toMatchObject({ map: undefined, map50: undefined });
});

test("as a metric it reads a model's outputs batch by batch, leaving out what is padding", () => {
  const sums = detectionMeanAveragePrecision({ thresholds: [0.5] }).start();
  const outputs = (
    boxes: readonly number[],
    scores: readonly number[],
    classes: readonly number[],
    rows: number,
  ): Parameters<typeof sums.add>[0] => ({
    boxes: tensor("float32", [rows, 2, 4], boxes),
    scores: tensor("float32", [rows, 2], scores),
    classes: tensor("int32", [rows, 2], classes),
  });
  // Two images: the first one's object is found, the second one's second is not.
  sums.add(
    outputs([0, 0, 10, 10, 0, 0, 0, 0, 50, 50, 60, 60, 9, 9, 9, 9], [0.9, 0, 0.8, 0], [0, -1, 0, -1], 2),
    tensor("float32", [2, 2, 5], [0, 0, 0, 10, 10, -1, 0, 0, 0, 0, 0, 50, 50, 60, 60, 0, 0, 0, 20, 20]),
  );
  // Two of three are found without a mistake: precision 1 at the recalls from 0 to 2/3, which are 67 of 101.
  expect(sums.result()).toBeCloseTo(67 / 101, 12);
  sums.add(outputs([0, 0, 20, 20, 0, 0, 0, 0], [0.7, 0], [0, -1], 1), tensor("float32", [1, 1, 5], [0, 0, 0, 20, 20]));
  expect(sums.result()).toBeCloseTo(76 / 101, 12); // three of four
  expect(detectionMeanAveragePrecision()).toMatchObject({ name: "detectionMap", output: "boxes" });
  expect(detectionMeanAveragePrecision().start().result()).toBeNaN();
});

const add = (found: Partial<DetectedBoxes>, there: Partial<TrueBoxes> = {}): ((precision: DetectionPrecision) => void) => {
  return (precision) => precision.add({ ...corners, scores: [1], ...found }, { ...corners, ...there });
};

test.each<[string, (precision: DetectionPrecision) => void, string]>([
  ["lists of unequal length", add({ scores: [1, 2] }), "of 1 boxes that are found, scores must have 1 numbers, not 2"],
  ["boxes of three numbers", add({}, { boxes: [1, 2, 3] }), "of 1 boxes that are there, boxes must have 4 numbers, not 3"],
  ["a score that is none", add({ scores: [Number.NaN] }), "scores[0] of the boxes that are found is NaN, not a finite number"],
  ["a box inside out", add({ boxes: [10, 0, 5, 10] }), 'a box at (10, 0) is -5 wide and 10 high; boxes are "xyxy", with the smaller corner first'],
  ["an image twice", (precision) => [1, 2].forEach(() => add({})(precision)), "image 1 was added before; give all boxes of an image at once"],
])("%s is refused", (_what, call, message) => {
  expect(() => call(createDetectionPrecision())).toThrow(`createDetectionPrecision: ${message}`);
});

test.each([
  [{ thresholds: [0] }, "thresholds must be numbers above 0 up to 1, not 0"],
  [{ thresholds: [] }, "thresholds must be numbers above 0 up to 1, not none"],
  [{ maxDetections: [10, 10] }, "maxDetections must be counts that rise, not [10, 10]"],
  [{ maxDetections: [0.5] }, "maxDetections must be a whole number"],
])("the options %j are refused", (options, message) => {
  expect(() => createDetectionPrecision(options)).toThrow(message);
  expect(() => detectionMeanAveragePrecision(options)).toThrow(message);
});
