import { expect, test } from "vitest";
import { inferred, type TestInput } from "./testing/infer.ts";

const step: TestInput = { dtype: "int64", shape: [] };
const two: readonly TestInput[] = [[3, 2], [2]];

test("Adam gives every parameter and both slots for any number of parameters", () => {
  expect(inferred("Adam", { inputs: [[], step, ...two, ...two, ...two, ...two], outputs: 6 })).toEqual([
    "float32 3,2",
    "float32 2",
    "float32 3,2",
    "float32 2",
    "float32 3,2",
    "float32 2",
  ]);
});

test("Adam refuses lists of unequal length, shapes that differ from their parameter, and a wrong number of outputs", () => {
  expect(() => inferred("Adam", { inputs: [[], step, [2], [2], [2]], outputs: 3 })).toThrow(/4 lists of equal length, not 3 values/);
  expect(() => inferred("Adam", { inputs: [[], step, [2], [3], [2], [2]], outputs: 3 })).toThrow(
    /input 3 is \[3\], but its parameter \(input 2\) is \[2\]/,
  );
  expect(() => inferred("Adam", { inputs: [[], step, [2], [2], [2], [2]], outputs: 2 })).toThrow(/1 parameters have 3 outputs, not 2/);
  expect(() => inferred("Adam", { inputs: [[1], step, [2], [2], [2], [2]], outputs: 3 })).toThrow(/must be scalars/);
});

test("Momentum needs its mode", () => {
  const attributes = { alpha: 0.9, beta: 1, norm_coefficient: 0, mode: "nesterov" };
  expect(inferred("Momentum", { inputs: [[], step, [2], [2], [2]], attributes, outputs: 2 })).toEqual(["float32 2", "float32 2"]);
  expect(() => inferred("Momentum", { inputs: [[], step, [2], [2], [2]], attributes: { ...attributes, mode: "fast" }, outputs: 2 })).toThrow(
    /mode "fast"/,
  );
  expect(() => inferred("Momentum", { inputs: [[], step, [2], [2], [2]], outputs: 2 })).toThrow(/attribute "alpha" is required/);
});
