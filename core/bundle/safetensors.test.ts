import fc from "fast-check";
import { expect, test } from "vitest";
import { EspalierError } from "../errors.ts";
import { tensor } from "../tensor.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

const tensors = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== "__metadata__" && name !== "__proto__"),
  fc.oneof(
    fc.array(fc.float({ noNaN: true }), { maxLength: 9 }).map((data) => tensor("float32", [data.length], data)),
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 9 }).map((data) => tensor("uint8", [data.length, 1], data)),
    fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 9 }).map((data) => tensor("int64", [1, data.length], data)),
    fc.array(fc.double({ noNaN: true }), { maxLength: 9 }).map((data) => tensor("float16", [data.length], data)),
    fc.double({ noNaN: true }).map((value) => tensor("float64", [], [value])),
  ),
);

test("any tensors come back as they were, with their metadata", () => {
  fc.assert(
    fc.property(
      tensors,
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
        fc.string(),
      ),
      (given, metadata) => {
        const decoded = decodeSafetensors(encodeSafetensors(given, metadata));
        expect(new Set(Object.keys(decoded.tensors))).toEqual(new Set(Object.keys(given)));
        for (const [name, value] of Object.entries(given)) expect(decoded.tensors[name]).toEqual(value);
        expect({ ...decoded.metadata }).toEqual({ ...metadata });
      },
    ),
  );
});

test("the bytes of a small file are those that the format's description gives", () => {
  const file = encodeSafetensors({ w: tensor("float32", [2], [1, -2]) });
  const header = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  expect(new DataView(file.buffer).getBigUint64(0, true)).toBe(56n); // 54 characters, padded to a multiple of 8
  expect(new TextDecoder().decode(file.subarray(8, 64))).toBe(header.padEnd(56));
  expect([...file.subarray(64)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]); // 1 and -2 as IEEE 754 little-endian
});

test("bytes that are not a safetensors file are refused with an error of ours, never another", () => {
  const file = encodeSafetensors({ a: tensor("float32", [2, 2], [1, 2, 3, 4]), b: tensor("int32", [3], [1, 2, 3]) });
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(file.length), (at, change, length) => {
      const damaged = file.slice(0, length);
      if (at < damaged.length) damaged[at] = damaged[at]! ^ change;
      try {
        const { tensors: read } = decodeSafetensors(damaged);
        for (const value of Object.values(read)) expect(value.data.length).toBe(value.shape.reduce((n, size) => n * size, 1));
      } catch (error) {
        expect(error).toBeInstanceOf(EspalierError);
      }
    }),
    { numRuns: 500 },
  );
});

test("overlapping and missing ranges are refused", () => {
  const header = (text: string, data: number): Uint8Array => {
    const json = new TextEncoder().encode(text);
    const file = new Uint8Array(8 + json.length + data);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(json, 8);
    return file;
  };
  const overlapping = '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}';
  expect(() => decodeSafetensors(header(overlapping, 6))).toThrow(/"b" starts at byte 2, expected 4/);
  expect(() => decodeSafetensors(header('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}', 3))).toThrow(/the file has/);
  expect(() => decodeSafetensors(header('{"a":{"dtype":"F99","shape":[4],"data_offsets":[0,4]}}', 4))).toThrow(/"F99"; supported are F32/);
});
