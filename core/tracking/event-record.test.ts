import { expect, test } from "vitest";
import { readProtobuf } from "../formats/protobuf.ts";
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { encodeEventRecord, histogramOf } from "./event-record.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each<[string, Uint8Array, number]>([
  // The vectors of RFC 3720, appendix B.4, as numbers, and the usual check value of the algorithm.
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ["the digits", ascii("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(0), 0],
])("CRC-32C of %s is the published one", (_name, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test("the mask is a turn by 15 bits and a constant", () => {
  const crc = crc32c(ascii("123456789"));
  const turned = ((crc >>> 15) | (crc << 17)) >>> 0;
  expect(maskedCrc32c(ascii("123456789"))).toBe((turned + 0xa282ead8) % 2 ** 32);
});

test("a record frames its event with length and checksums", () => {
  const bytes = encodeEventRecord({ kind: "scalars", wallTimeSeconds: 1.5, step: 7, values: { loss: 0.25 } });
  const view = new DataView(bytes.buffer);
  const length = Number(view.getBigUint64(0, true));
  expect(bytes.length).toBe(8 + 4 + length + 4);
  expect(view.getUint32(8, true)).toBe(maskedCrc32c(bytes.subarray(0, 8)));
  expect(view.getUint32(12 + length, true)).toBe(maskedCrc32c(bytes.subarray(12, 12 + length)));
  const fields = [...readProtobuf(bytes.subarray(12, 12 + length))];
  expect(fields.map(({ field, wire }) => [field, wire])).toEqual([
    [1, "fixed64"],
    [2, "varint"],
    [5, "bytes"],
  ]);
});

test("a histogram counts every finite number once and keeps its moments", () => {
  const numbers = [-1, 0, 0, 1, 2, 3, 3, 3, Number.NaN, Infinity];
  const { min, max, count, sum, sumOfSquares, limits, counts } = histogramOf(numbers, 4);
  expect({ min, max, count, sum, sumOfSquares }).toEqual({ min: -1, max: 3, count: 8, sum: 11, sumOfSquares: 33 });
  expect(limits).toEqual([0, 1, 2, 3]);
  expect(counts).toEqual([1, 2, 1, 4]);
  expect(histogramOf([5, 5])).toMatchObject({ min: 5, max: 5, count: 2 });
  expect(histogramOf([])).toMatchObject({ count: 0 });
});
