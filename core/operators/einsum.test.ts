import { expect, test } from "vitest";
import type { Dimension } from "../graph/graph.ts";
import { parseEinsum } from "./einsum-equation.ts";
import { inferred } from "./testing/infer.ts";

const shapeOf = (equation: string, ...inputs: readonly (readonly Dimension[])[]): readonly string[] =>
  inferred("Einsum", { inputs, attributes: { equation } });

test("Einsum's output has the sizes of the letters that it names", () => {
  expect(shapeOf("bij,bjk->bik", ["batch", 2, 4], ["batch", 4, 3])).toEqual(["float32 batch,2,3"]);
  expect(shapeOf("ba,bc", ["batch", 2], ["batch", 3])).toEqual(["float32 2,3"]);
  expect(shapeOf("...i,...i->...", ["batch", 1, 4], [3, 4])).toEqual(["float32 batch,3"]);
  expect(shapeOf("ii", [4, 4])).toEqual(["float32 "]);
});

test("Einsum refuses equations that do not fit, and says where", () => {
  expect(() => shapeOf("ij,jk->ik", [2, 3], [4, 5])).toThrow(/axis "j" is 3 in one place and 4 in input 1/);
  expect(() => shapeOf("ij->i", [2, 3, 4])).toThrow(/term "ij" does not name the 3 axes of input 0/);
  expect(() => shapeOf("ij,jk->ik", [2, 3])).toThrow(/it has 2 terms for 1 inputs/);
  expect(() => shapeOf("ij->k", [2, 3])).toThrow(/the output has "k", which no input has/);
  expect(() => shapeOf("ij->ii", [2, 3])).toThrow(/the output has "i" twice/);
  expect(() => shapeOf("i1->i", [2, 3])).toThrow(/has "1": axes are letters/);
  expect(() => shapeOf("i->i->i", [2])).toThrow(/more than one arrow/);
  expect(() => shapeOf("...i...->i", [2])).toThrow(/more than one ellipsis/);
  expect(() => shapeOf("...i->i", [2, 3])).toThrow(/the output lacks the ellipsis/);
  expect(() => shapeOf("...ijk->i", [2, 3])).toThrow(/names more axes than there are, 2/);
});

test("without an arrow, letters that occur once are the output in alphabetical order, after the ellipsis", () => {
  expect(parseEinsum("ba", [2])).toEqual({ operands: [["b", "a"]], output: ["a", "b"] });
  expect(parseEinsum("c...a, ...ab", [3, 3])).toEqual({
    operands: [
      ["c", "...0", "a"],
      ["...0", "a", "b"],
    ],
    output: ["...0", "b", "c"],
  });
});
