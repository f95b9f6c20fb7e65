import { expect, test } from "vitest";
import { GraphBuilder } from "../graph/builder.ts";
import { tensor, type Tensor } from "../tensor.ts";
import { resizeTaps } from "./resize-taps.ts";
import { inferred } from "./testing/infer.ts";

const ints = (...values: readonly number[]): Tensor => tensor("int64", [values.length], values);
const floats = (...values: readonly number[]): Tensor => tensor("float32", [values.length], values);
const image = ["batch", 3, 4, 6] as const;

test("Resize takes scales, whose products are cut, or sizes, of every axis or of those named", () => {
  expect(inferred("Resize", { inputs: [image, undefined, floats(1, 1, 2.4, 0.5)] })).toEqual(["float32 batch,3,9,3"]);
  expect(inferred("Resize", { inputs: [image, undefined, undefined, ints(7, 2)], attributes: { axes: [2, -1] } })).toEqual(["float32 batch,3,7,2"]);
  const policy = (keep_aspect_ratio_policy: string): readonly string[] =>
    inferred("Resize", { inputs: [image, undefined, undefined, ints(9, 9)], attributes: { axes: [2, 3], keep_aspect_ratio_policy } });
  expect(policy("not_larger")).toEqual(["float32 batch,3,6,9"]);
  expect(policy("not_smaller")).toEqual(["float32 batch,3,9,14"]);
});

test("sizes that follow from a shape may hold the batch", () => {
  const builder = new GraphBuilder("test");
  const x = builder.input("x", "float32", [...image]);
  const sizes = builder.op("Concat", [builder.op("Shape", [x], { end: 2 }), builder.ints([8, 8])], { axis: 0 });
  expect(builder.op("Resize", [x, undefined, undefined, sizes]).shape).toEqual(["batch", 3, 8, 8]);
});

test("Resize refuses the batch axis, both or neither of scales and sizes, and modes that are not there", () => {
  expect(() => inferred("Resize", { inputs: [image, undefined, floats(2, 1, 1, 1)] })).toThrow(/the batch axis cannot be resized/);
  expect(() => inferred("Resize", { inputs: [image, undefined, floats(1, 1, 1, 1), ints(1, 1, 1, 1)] })).toThrow(/give either scales .* or sizes/);
  expect(() => inferred("Resize", { inputs: [image, undefined, floats(1, 1)] })).toThrow(/2 scales for 4 axes/);
  expect(() => inferred("Resize", { inputs: [image, undefined, floats(1, 1, 0, 1)] })).toThrow(/a scale must be above 0, not 0/);
  expect(() => inferred("Resize", { inputs: [image, undefined, floats(1, 1, 2, 2)], attributes: { mode: "bilinear" } })).toThrow(
    /mode "bilinear" is not there; use nearest, linear, cubic/,
  );
  expect(() => inferred("Resize", { inputs: [[2, 0], undefined, undefined, ints(2, 3)] })).toThrow(
    /axis 1 is empty: it has nothing to make 3 elements of/,
  );
});

// By hand: twice as large by half pixels, element 1 of the result lies at (1 + 0.5) / 2 - 0.5 = 0.25.
test("taps are the elements on both sides with their distances as weights", () => {
  const rule = {
    size: 3,
    length: 6,
    scale: 2,
    coordinates: "half_pixel",
    nearest: "floor",
    cubicCoefficient: -0.75,
    excludeOutside: false,
    antialias: false,
  };
  expect(resizeTaps({ ...rule, mode: "linear" })[1]).toEqual([
    { place: 0, weight: 0.75 },
    { place: 1, weight: 0.25 },
  ]);
  expect(resizeTaps({ ...rule, mode: "nearest" }).map((taps) => taps[0]?.place)).toEqual([0, 0, 0, 1, 1, 2]);
  for (const taps of resizeTaps({ ...rule, mode: "cubic" })) expect(taps.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
});
