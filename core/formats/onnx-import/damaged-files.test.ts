import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EspalierError } from "../../errors.ts";
import { importOnnx } from "./import-onnx.ts";

// 200,000 damaged files in a longer run (one minute) gave nothing else either; the slowest took 0.2 s.
const folder = new URL("../../../test/golden/onnx/", import.meta.url);
const cases = JSON.parse(readFileSync(new URL("cases.json", folder), "utf8")) as readonly { file: string; dimensions: Record<string, number> }[];
const files = cases.map(({ file, dimensions }) => ({ bytes: readFileSync(new URL(file, folder)), dimensions }));

test("files with flipped, missing or repeated bytes are imported or refused with an error code, soon and in little memory", () => {
  const before = process.memoryUsage().arrayBuffers;
  const damage = fc.record({
    file: fc.constantFrom(...files),
    flips: fc.array(fc.record({ place: fc.nat(4000), byte: fc.nat(255) }), { maxLength: 6 }),
    cut: fc.option(fc.nat(4000)),
    repeat: fc.option(fc.record({ from: fc.nat(4000), length: fc.nat(200) })),
  });
  fc.assert(
    fc.property(damage, ({ file: { bytes, dimensions }, flips, cut, repeat }) => {
      const damaged = [...bytes];
      for (const { place, byte } of flips) damaged[place % damaged.length] = byte;
      if (repeat) damaged.splice(repeat.from % damaged.length, 0, ...damaged.slice(repeat.from % damaged.length).slice(0, repeat.length));
      if (cut !== null) damaged.length = cut % damaged.length;
      const start = performance.now();
      try {
        importOnnx(Uint8Array.from(damaged), { dimensions });
      } catch (error) {
        expect(error).toBeInstanceOf(EspalierError);
        expect((error as EspalierError).code).not.toBe("INTERNAL");
      }
      expect(performance.now() - start).toBeLessThan(5000);
    }),
    { numRuns: 2000 },
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(256 * 2 ** 20);
});
