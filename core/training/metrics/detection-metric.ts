import { createDetectionPrecision, type DetectionOptions } from "./detection.ts";
import { numbers, type Metric } from "./metric.ts";

/** What a metric of detections reads. */
export interface DetectionMetricOptions extends DetectionOptions {
  /** The output with boxes [batch, detections, 4]; default "boxes". */
  readonly boxes?: string;
  /** The output with scores [batch, detections]; default "scores". */
  readonly scores?: string;
  /** The output with classes [batch, detections], below 0 where nothing was found; default "classes". */
  readonly classes?: string;
  /** The input with the truth: [batch, objects, 5], a class, below 0 where there is nothing, and its box. Default: that of the loss. */
  readonly labels?: string;
}

/** COCO's mean average precision of boxes, batch by batch (see `createDetectionPrecision`); NaN when there was none to find. @throws ARGUMENT_INVALID as there */
export function detectionMeanAveragePrecision({
  boxes = "boxes",
  scores = "scores",
  classes = "classes",
  labels: input,
  ...options
}: DetectionMetricOptions = {}): Metric {
  createDetectionPrecision(options); // refuses wrong options now, not in the first epoch
  return {
    name: "detectionMap",
    output: boxes,
    ...(input !== undefined && { labels: input }),
    start() {
      const precision = createDetectionPrecision(options);
      let images = 0;
      return {
        add(outputs, labels) {
          const [rows = 0, objects = 0] = labels.shape;
          const truth = numbers(labels);
          const [places, found] = [numbers(outputs[boxes]), numbers(outputs[classes])];
          const kept = thosePlaces(found.length, (i) => Number(found[i]) >= 0);
          const real = thosePlaces(rows * objects, (i) => Number(truth[5 * i]) >= 0);
          const imageOf = (place: number, each: number): number => images + Math.floor(place / each);
          precision.add(
            {
              images: kept.map((i) => imageOf(i, found.length / rows)),
              boxes: kept.flatMap((i) => four(places, 4 * i)),
              scores: kept.map((i) => Number(numbers(outputs[scores])[i])),
              classes: kept.map((i) => Number(found[i])),
            },
            {
              images: real.map((i) => imageOf(i, objects)),
              boxes: real.flatMap((i) => four(truth, 5 * i + 1)),
              classes: real.map((i) => Number(truth[5 * i])),
            },
          );
          images += rows;
        },
        result: () => precision.result().map ?? Number.NaN,
      };
    },
  };
}

function thosePlaces(count: number, isThere: (place: number) => boolean): number[] {
  return Array.from({ length: count }, (_, i) => i).filter(isThere);
}

function four(values: ArrayLike<number | bigint>, from: number): number[] {
  return [0, 1, 2, 3].map((k) => Number(values[from + k]));
}
