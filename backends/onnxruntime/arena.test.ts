import fc from "fast-check";
import { expect, test } from "vitest";
import { Arena } from "./arena.ts";

test("blocks never overlap, start at cache lines and are zero, whatever was allocated and freed before", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("allocate" as const), length: fc.nat(40_000) }),
    fc.record({ kind: fc.constant("free" as const), index: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const arena = new Arena();
      const live: { readonly data: Float32Array; readonly mark: number }[] = [];
      for (const [i, item] of steps.entries()) {
        if (item.kind === "free") {
          const [gone] = live.splice(item.index, 1);
          if (gone !== undefined) arena.free(gone.data);
          continue;
        }
        const data = arena.allocate("float32", [item.length]) as Float32Array;
        expect(data.byteOffset % 64).toBe(0);
        expect(data.every((value) => value === 0)).toBe(true);
        data.fill(i + 1);
        live.push({ data, mark: i + 1 });
      }
      for (const { data, mark } of live) expect(data.every((value) => value === mark)).toBe(true); // nobody wrote into another's block
    }),
    { numRuns: 50 },
  );
});

test("what was freed is used again", () => {
  const arena = new Arena();
  const first = arena.allocate("float32", [100_000]) as Float32Array;
  const bytes = arena.memory.buffer.byteLength;
  for (let i = 0; i < 20; i += 1) {
    arena.free(arena.allocate("float32", [50_000]) as Float32Array);
    arena.free(arena.allocate("float64", [20_000]) as Float64Array);
  }
  arena.free(first);
  arena.allocate("float32", [100_000]);
  expect(arena.memory.buffer.byteLength).toBeLessThanOrEqual(bytes + 4 * 65_536);
});

test("only its own memory has an offset, and freeing other memory does nothing", () => {
  const [arena, other] = [new Arena(), new Arena()];
  const data = arena.allocate("int64", [3]) as BigInt64Array;
  expect(arena.offsetOf(data)).toBe(data.byteOffset);
  expect(arena.offsetOf(new Float32Array(4))).toBeUndefined();
  expect(other.offsetOf(data)).toBeUndefined();
  arena.free(new Float32Array(4));
  arena.free(data);
  expect(arena.offsetOf(data)).toBeUndefined();
});

test("an arena says that it is full instead of failing", () => {
  expect(new Arena().allocate("float32", [2 ** 30])).toBeUndefined(); // 4 GiB, and a little is in use
});
