import fc from "fast-check";
import { expect, test } from "vitest";
import { EspalierError } from "../errors.ts";
import { ProtobufWriter, readFloats, readInts, readProtobuf } from "./protobuf.ts";

test("the encodings are those of the protobuf guide's examples", () => {
  const int = new ProtobufWriter();
  int.int(1, 150);
  expect([...int.finish()]).toEqual([0x08, 0x96, 0x01]);

  const text = new ProtobufWriter();
  text.string(2, "testing");
  expect([...text.finish()]).toEqual([0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);

  const nested = new ProtobufWriter();
  nested.message(3, (inner) => inner.int(1, 150));
  expect([...nested.finish()]).toEqual([0x1a, 0x03, 0x08, 0x96, 0x01]);

  const packed = new ProtobufWriter();
  packed.packedInts(6, [3, 270, 86942]);
  expect([...packed.finish()]).toEqual([0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]);

  const negative = new ProtobufWriter();
  negative.int(1, -2);
  expect([...negative.finish()]).toEqual([0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
});

test("integers and floats of any size come back as they were written", () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeInteger()), fc.array(fc.float({ noNaN: true })), fc.integer({ min: 1, max: 5000 }), (ints, floats, field) => {
      const writer = new ProtobufWriter();
      writer.packedInts(field, ints);
      writer.packedFloats(field + 1, floats);
      for (const value of ints) writer.int(field + 2, value);
      for (const value of floats) writer.float(field + 3, value);
      const fields = [...readProtobuf(writer.finish())];
      const of = (number: number): typeof fields => fields.filter((item) => item.field === number);
      expect(of(field).flatMap(readInts)).toEqual(ints);
      expect(of(field + 1).flatMap(readFloats)).toEqual(floats);
      expect(of(field + 2).flatMap(readInts)).toEqual(ints);
      expect(of(field + 3).flatMap(readFloats)).toEqual(floats);
    }),
  );
});

test("any bytes are read or refused with DATA_MALFORMED, never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const field of readProtobuf(bytes)) if (field.wire === "bytes") readInts(field);
      } catch (error) {
        expect(error).toBeInstanceOf(EspalierError);
        expect((error as EspalierError).code).toBe("DATA_MALFORMED");
      }
    }),
    { numRuns: 1000 },
  );
});

test("a message that ends inside a field is refused with the offset", () => {
  expect(() => [...readProtobuf(Uint8Array.of(0x12, 0x07, 0x74))]).toThrow("a field of 7 bytes runs over the end at byte 2 of 3");
});
