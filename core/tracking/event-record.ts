import { ProtobufWriter } from "../formats/protobuf.ts";
import { maskedCrc32c } from "./crc32c.ts";

/** How numbers are distributed: counts between limits. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Upper limits of the buckets, rising. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** One entry of a TensorBoard event file. */
export type EventRecord = { readonly wallTimeSeconds: number; readonly step: number } & (
  | { readonly kind: "version" /** The file's first entry. */ }
  | { readonly kind: "start" /** A run goes on from `step`: what earlier files say of later steps does not count. */ }
  | { readonly kind: "scalars"; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: "histograms"; readonly values: Readonly<Record<string, Histogram>> }
);

/**
 * One entry as a TFRecord: length, its checksum, an `Event` message, its checksum.
 *
 * @see https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
 * @see https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/summary.proto
 */
export function encodeEventRecord(record: EventRecord): Uint8Array<ArrayBuffer> {
  const event = new ProtobufWriter();
  event.double(1, record.wallTimeSeconds);
  event.int(2, record.step);
  switch (record.kind) {
    case "version":
      event.string(3, "brain.Event:2");
      break;
    case "start":
      event.message(7, (session) => session.int(1, 1));
      break;
    case "scalars":
      event.message(5, (summary) => {
        for (const [tag, value] of Object.entries(record.values)) {
          summary.message(1, (item) => {
            item.string(1, tag);
            item.float(2, value);
          });
        }
      });
      break;
    case "histograms":
      event.message(5, (summary) => {
        for (const [tag, histogram] of Object.entries(record.values)) {
          summary.message(1, (item) => {
            item.string(1, tag);
            item.message(5, (message) => writeHistogram(message, histogram));
          });
        }
      });
      break;
    default:
      record satisfies never;
  }
  return frame(event.finish());
}

/** The distribution of some numbers in buckets of equal width; what is not finite is left out. @param buckets from 1 */
export function histogramOf(numbers: Iterable<number>, buckets = 30): Histogram {
  const finite = Array.from(numbers).filter(Number.isFinite);
  const min = finite.reduce((least, value) => Math.min(least, value), Infinity);
  const max = finite.reduce((most, value) => Math.max(most, value), -Infinity);
  if (finite.length === 0) return { min: 0, max: 0, count: 0, sum: 0, sumOfSquares: 0, limits: [0], counts: [0] };
  const width = (max - min) / buckets;
  const counts = Array.from({ length: buckets }, () => 0);
  for (const value of finite) {
    const bucket = width === 0 ? 0 : Math.min(buckets - 1, Math.floor((value - min) / width));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return {
    min,
    max,
    count: finite.length,
    sum: finite.reduce((sum, value) => sum + value, 0),
    sumOfSquares: finite.reduce((sum, value) => sum + value * value, 0),
    limits: counts.map((_, i) => (i === buckets - 1 ? max : min + (i + 1) * width)),
    counts,
  };
}

function writeHistogram(message: ProtobufWriter, { min, max, count, sum, sumOfSquares, limits, counts }: Histogram): void {
  message.double(1, min);
  message.double(2, max);
  message.double(3, count);
  message.double(4, sum);
  message.double(5, sumOfSquares);
  message.packedDoubles(6, limits);
  message.packedDoubles(7, counts);
}

function frame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(8 + 4 + message.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(message, 12);
  view.setUint32(12 + message.length, maskedCrc32c(message), true);
  return record;
}
