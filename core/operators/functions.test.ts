import { expect, test } from "vitest";
import { scalar, tensor, type Tensor } from "../tensor.ts";
import { inferred } from "./testing/infer.ts";

const ints = (...values: readonly number[]): Tensor => tensor("int64", [values.length], values);

test("angles, rounding and activations keep shape and type, and take floats only", () => {
  for (const operator of ["Sin", "Atanh", "Floor", "Round", "HardSwish", "Mish", "Selu", "Softsign", "Hardmax"]) {
    expect(inferred(operator, { inputs: [["batch", 3]] })).toEqual(["float32 batch,3"]);
    expect(() => inferred(operator, { inputs: [{ dtype: "int32", shape: [3] }] })).toThrow(/must be float32 or float64 or float16, not int32/);
  }
  expect(() => inferred("Hardmax", { inputs: [[3]], attributes: { axis: 1 } })).toThrow(/axis 1 is outside rank 1/);
});

test("tests of floats give bool", () => {
  expect(inferred("IsNaN", { inputs: [["batch", 2]] })).toEqual(["bool batch,2"]);
  expect(inferred("IsInf", { inputs: [["batch"]], attributes: { detect_negative: 0 } })).toEqual(["bool batch"]);
  expect(() => inferred("IsNaN", { inputs: [{ dtype: "bool", shape: [2] }] })).toThrow(/not bool/);
});

test("Sum and Mean broadcast any number of values", () => {
  expect(inferred("Sum", { inputs: [["batch", 1], [4], []] })).toEqual(["float32 batch,4"]);
  expect(() => inferred("Mean", { inputs: [[3], [4]] })).toThrow(/3 is not 4|4 is not 3/);
  expect(() => inferred("Sum", { inputs: [] })).toThrow(/takes 1 to Infinity inputs/);
});

test("Mod asks floats for fmod, and Xor takes truth values", () => {
  expect(inferred("Mod", { inputs: [{ dtype: "int64", shape: ["batch", 2] }, scalar(3, "int64")] })).toEqual(["int64 batch,2"]);
  expect(() => inferred("Mod", { inputs: [[2], [2]] })).toThrow(/floats need the attribute fmod: 1/);
  expect(() => inferred("Xor", { inputs: [[2], [2]] })).toThrow(/must be bool, not float32/);
});

test("the slope of PRelu must broadcast to the input, not the other way round", () => {
  expect(
    inferred("PRelu", {
      inputs: [
        ["batch", 3, 4],
        [3, 1],
      ],
    }),
  ).toEqual(["float32 batch,3,4"]);
  expect(() => inferred("PRelu", { inputs: [[3], [2, 3]] })).toThrow(/the slope \(input 1\) must broadcast to the shape of input 0/);
});

test("norms reduce the axes that they name", () => {
  expect(inferred("ReduceL2", { inputs: [["batch", 3, 4], ints(-1)] })).toEqual(["float32 batch,3,1"]);
  expect(inferred("ReduceProd", { inputs: [["batch", 3], ints(0)], attributes: { keepdims: 0 } })).toEqual(["float32 3"]);
  expect(inferred("ReduceLogSumExp", { inputs: [["batch", 3]], attributes: { keepdims: 0 } })).toEqual(["float32 "]);
  expect(() => inferred("ReduceL1", { inputs: [{ dtype: "int32", shape: [3] }] })).toThrow(/must be float32 or float64/);
  expect(() => inferred("LpNormalization", { inputs: [[3]], attributes: { p: 3 } })).toThrow(/p must be 1 or 2, not 3/);
  expect(() => inferred("ArgMin", { inputs: [[2, 0]], attributes: { axis: 1 } })).toThrow(/axis 1 is empty: it has no smallest element/);
});

test("CumSum takes one axis, a constant", () => {
  expect(inferred("CumSum", { inputs: [["batch", 3], scalar(-1, "int64")] })).toEqual(["float32 batch,3"]);
  expect(() => inferred("CumSum", { inputs: [[3], scalar(1, "int64")] })).toThrow(/axis 1 is outside rank 1/);
  expect(() => inferred("CumSum", { inputs: [[3], { dtype: "int64", shape: [] }] })).toThrow(/must be a constant/);
  expect(() => inferred("CumSum", { inputs: [[3, 3], ints(0, 1)] })).toThrow(/must be one number/);
});
