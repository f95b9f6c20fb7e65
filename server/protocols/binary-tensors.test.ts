import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTensor, encodeTensor, splitBody } from "./binary-tensors.ts";
import { findDatatype } from "./datatypes.ts";

const decode = (bytes: Uint8Array, datatype: string, count: number): unknown[] =>
  decodeTensor(bytes, findDatatype(datatype, "x"), { count, place: "inputs[0]" });

describe("binary tensors", () => {
  it("come back as they were written", () => {
    const round = (values: readonly (number | string)[], datatype: string): void => {
      expect(decode(encodeTensor(values, datatype), datatype, values.length)).toEqual(values);
    };
    fc.assert(fc.property(fc.array(fc.double()), (values) => round(values, "FP64")));
    fc.assert(fc.property(fc.array(fc.float()), (values) => round(values, "FP32")));
    fc.assert(fc.property(fc.array(fc.maxSafeInteger().map((value) => value + 0)), (values) => round(values, "INT64")));
    fc.assert(fc.property(fc.array(fc.string({ unit: "grapheme" })), (values) => round(values, "BYTES")));
  });

  it("read every datatype little-endian", () => {
    // Hand-laid bytes, lowest first.
    expect(decode(Uint8Array.of(0xfe, 0xff), "INT16", 1)).toEqual([-2]);
    expect(decode(Uint8Array.of(0xfe, 0xff), "UINT16", 1)).toEqual([65534]);
    expect(decode(Uint8Array.of(0x00, 0x3c, 0x01, 0x00, 0x00, 0xc0), "FP16", 3)).toEqual([1, 2 ** -24, -2]); // 0x3c00, 0x0001, 0xc000
    expect(decode(Uint8Array.of(0x00, 0x00, 0x80, 0x3f), "FP32", 1)).toEqual([1]);
    expect(decode(Uint8Array.of(0, 7), "BOOL", 2)).toEqual([0, 1]);
    expect(decode(Uint8Array.of(2, 0, 0, 0, 0x68, 0x69), "BYTES", 1)).toEqual(["hi"]);
  });

  it("never read past their end, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(8), fc.constantFrom("BYTES", "FP32", "INT64", "FP16"), (bytes, count, datatype) => {
        try {
          expect(decode(bytes, datatype, count)).toHaveLength(count);
        } catch (error) {
          expect(error).toMatchObject({ code: "REQUEST_INVALID" });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("refuse a header length outside of the body", () => {
    for (const header of ["0", "5", "-1", "1e1", "x", ""])
      expect(() => splitBody(new Uint8Array(4), header)).toThrow("must be from 1 to the body's 4 bytes");
  });
});
