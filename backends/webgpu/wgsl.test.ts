import fc from "fast-check";
import { expect, test } from "vitest";
import { elementCount } from "../../core/index.ts";
import { broadcastStrides, denseStrides, flatLoop, literal, spreadWorkgroups, stridedIndex } from "./wgsl.ts";

/** Runs an index expression as JavaScript: whole-number division is the only difference. */
function evaluate(expression: string, i: number): number {
  const script = expression
    .replaceAll(/\bi32\(|\bu32\(/g, "(")
    .replaceAll(/(\d)[iu]\b/g, "$1")
    .replaceAll(/\((\w+|\([^()]*\)) \/ (\d+)\)/g, "Math.floor($1 / $2)");
  // eslint-disable-next-line typescript/no-implied-eval -- the expression is written by the code under test
  return new Function("i", `return ${script};`)(i) as number;
}

test("a strided index is the sum of coordinates times strides, for any shape and any strides", () => {
  const axis = fc.record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: -7, max: 7 }) });
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 4 }), fc.integer({ min: 0, max: 50 }), (axes, offset) => {
      const shape = axes.map(({ size }) => size);
      const strides = axes.map(({ stride }) => stride);
      const dense = denseStrides(shape);
      const expression = stridedIndex("i", { shape, strides, offset });
      for (let i = 0; i < elementCount(shape); i += 1) {
        const wanted = shape.reduce((sum, size, a) => sum + (Math.floor(i / dense[a]!) % size) * strides[a]!, offset);
        expect(evaluate(expression, i) + 0).toBe(wanted + 0); // no -0
      }
    }),
  );
});

test("axes that run on without a gap are read as one, and a dense value by its index alone", () => {
  expect(stridedIndex("i", { shape: [2, 3, 4], strides: [12, 4, 1] })).toBe("i");
  expect(stridedIndex("i", { shape: [8, 5, 3, 3], strides: broadcastStrides([5, 1, 1], [8, 5, 3, 3]) })).toBe("((i / 9u) % 5u)");
  expect(stridedIndex("i", { shape: [8, 5], strides: [0, 0] })).toBe("0u");
});

test("numbers are written as literals of their type, and infinities and NaN have none", () => {
  expect(literal(1, "f32")).toBe("1.0f");
  expect(literal(-0.5, "f32")).toBe("(-0.5f)");
  expect(Number(literal(1e-30, "f32")?.slice(0, -1))).toBe(Math.fround(1e-30));
  expect(literal(-3, "i32")).toBe("i32(-3)");
  expect(literal(7, "u32")).toBe("7u");
  expect(literal(Infinity, "f32")).toBeUndefined();
  expect(literal(Number.NaN, "f32")).toBeUndefined();
  expect(literal(1e39, "f32")).toBeUndefined(); // infinite in float32
});

test("more workgroups than one dimension holds are spread over two, and every element has a thread", () => {
  expect(spreadWorkgroups(65_535)).toEqual([65_535, 1, 1]);
  const [x, y] = spreadWorkgroups(200_000);
  expect(x * y).toBeGreaterThanOrEqual(200_000);
  expect(Math.max(x, y)).toBeLessThanOrEqual(65_535);
  expect(flatLoop(65_535 * 64 + 1, "").body).toContain("workgroup.y");
});
