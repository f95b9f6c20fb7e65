import fc from "fast-check";
import { expect, test } from "vitest";
import { alignedBytes, alignment, planArenas, type Lifetime } from "./memory.ts";

const lifetimes = fc.array(
  fc.record({ elements: fc.integer({ min: 0, max: 3000 }), first: fc.integer({ min: -1, max: 20 }), length: fc.integer({ min: 0, max: 10 }) }),
  { maxLength: 30 },
);

function lifetimeOf({ elements, first, length }: { elements: number; first: number; length: number }): Lifetime {
  return { storage: { scalar: "f32", elements, source: { kind: "temporary" } }, first, last: first + length };
}

test("storages that are alive together never share a byte, and every one is aligned and inside its arena", () => {
  fc.assert(
    fc.property(lifetimes, fc.constantFrom(4096, 20_000, Infinity), (specs, maxBytes) => {
      const all = specs.map(lifetimeOf);
      const { places, arenas } = planArenas(all, { maxBytes });
      for (const a of all) {
        const place = places.get(a.storage)!;
        expect(place.offset % alignment).toBe(0);
        expect(place.size).toBe(alignedBytes(a.storage));
        expect(place.offset + place.size).toBeLessThanOrEqual(arenas[place.arena]!);
        for (const b of all) {
          const other = places.get(b.storage)!;
          const together = a.first <= b.last && b.first <= a.last && a !== b && place.arena === other.arena;
          const overlap = place.offset < other.offset + other.size && other.offset < place.offset + place.size;
          expect(together && overlap).toBe(false);
        }
      }
    }),
  );
});

test("a storage reuses the memory of one that is no longer needed", () => {
  const chain = [0, 1, 2, 3, 4].map((first) => lifetimeOf({ elements: 64, first, length: 1 }));
  // At most two of five neighbours are alive at a time: 2 x 256 bytes instead of 5 x 256.
  expect(planArenas(chain, { maxBytes: Infinity }).arenas).toEqual([512]);
});

test("an arena that would grow beyond the limit is followed by another one", () => {
  const together = [0, 0, 0].map((first) => lifetimeOf({ elements: 64, first, length: 1 }));
  expect(planArenas(together, { maxBytes: 512 }).arenas).toEqual([512, 256]);
});
