import fc from "fast-check";
import { expect, it } from "vitest";
import { idxColumns, parseIdx } from "./idx.ts";

/** A file as the format's page describes it. */
function idxFile(shape: readonly number[], data: readonly number[]): Uint8Array {
  const header = [0, 0, 8, shape.length, ...shape.flatMap((size) => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255])];
  return Uint8Array.from([...header, ...data]);
}

it("reads what was written, whatever the sizes", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }), (shape) => {
      const data = Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => (i * 7) % 256);
      const read = parseIdx(idxFile(shape, data), "file");
      expect(read.shape).toEqual(shape);
      expect([...read.data]).toEqual(data);
    }),
  );
});

it("never reads beyond a damaged file: it answers or refuses", () => {
  const good = idxFile([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(good.length - 1), fc.nat(255), (length, at, byte) => {
      const damaged = good.slice(0, length);
      if (at < length) damaged[at] = byte;
      try {
        const { shape, data } = parseIdx(damaged, "file");
        expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
      } catch (error) {
        expect(error).toMatchObject({ code: "DATA_MALFORMED" });
      }
    }),
  );
});

it("makes a table of images and labels, and refuses what does not go together", () => {
  const images = parseIdx(idxFile([2, 1, 3], [1, 2, 3, 4, 5, 6]), "images");
  const table = idxColumns(images, { labels: parseIdx(idxFile([2], [9, 3]), "labels"), name: "images" });
  expect(table.length).toBe(2);
  expect(table.columns.get("image")).toEqual({ kind: "tensor", shape: [1, 1, 3], values: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  expect(table.columns.get("label")).toEqual({ kind: "number", values: Float64Array.of(9, 3) });
  expect(() => idxColumns(images, { labels: parseIdx(idxFile([3], [1, 2, 3]), "labels"), name: "images" })).toThrow(
    /has 2 images, but its labels are \[3\]/,
  );
  expect(() => idxColumns(parseIdx(idxFile([2], [1, 2]), "x"), { name: "x" })).toThrow(/must hold images \[rows, height, width\], not \[2\]/);
  expect(() => parseIdx(Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 0), "floats")).toThrow(/element type is 0x0d, not 0x08/);
});
