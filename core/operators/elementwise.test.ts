import { expect, test } from "vitest";
import { scalar } from "../tensor.ts";
import { inferred } from "./testing/infer.ts";

test("broadcasting follows NumPy, and batch goes with batch and with 1", () => {
  expect(inferred("Add", { inputs: [["batch", 3], [3]] })).toEqual(["float32 batch,3"]);
  expect(
    inferred("Mul", {
      inputs: [
        ["batch", 1, 4],
        [5, 1],
      ],
    }),
  ).toEqual(["float32 batch,5,4"]);
  expect(
    inferred("Sub", {
      inputs: [
        ["batch", 3],
        ["batch", 1],
      ],
    }),
  ).toEqual(["float32 batch,3"]);
  expect(
    inferred("Div", {
      inputs: [
        [1, 3],
        ["batch", 3],
      ],
    }),
  ).toEqual(["float32 batch,3"]);
  expect(inferred("Pow", { inputs: [[2, 3], []] })).toEqual(["float32 2,3"]);
});

test("shapes that do not broadcast are refused with both shapes and the node's name", () => {
  expect(() => inferred("Add", { inputs: [["batch", 3], [4]] })).toThrow(/^node \(Add of float32 \[batch, 3\], float32 \[4\]\): .*3 is not 4/);
  expect(() =>
    inferred("Add", {
      inputs: [
        ["batch", 3],
        [5, 3],
      ],
    }),
  ).toThrow(/batch is not 5/);
});

test("different element types are refused, with the mend", () => {
  expect(() => inferred("Add", { inputs: [[3], { dtype: "int32", shape: [3] }] })).toThrow(/input 1 is int32, but input 0 is float32; add a Cast/);
  expect(() => inferred("Sqrt", { inputs: [{ dtype: "int32", shape: [3] }] })).toThrow(/must be float32 or float64 or float16, not int32/);
  expect(() => inferred("Not", { inputs: [[3]] })).toThrow(/must be bool, not float32/);
  expect(() => inferred("Pow", { inputs: [{ dtype: "bool", shape: [3] }, []] })).toThrow(/not bool/);
});

test("comparisons give bool, and Equal takes bool too", () => {
  expect(inferred("Less", { inputs: [["batch"], []] })).toEqual(["bool batch"]);
  expect(
    inferred("Equal", {
      inputs: [
        { dtype: "bool", shape: [2] },
        { dtype: "bool", shape: [1] },
      ],
    }),
  ).toEqual(["bool 2"]);
  expect(() =>
    inferred("Less", {
      inputs: [
        { dtype: "bool", shape: [2] },
        { dtype: "bool", shape: [2] },
      ],
    }),
  ).toThrow(/not bool/);
});

test("Max and Min take any number of values", () => {
  expect(inferred("Max", { inputs: [[3], ["batch", 1], []] })).toEqual(["float32 batch,3"]);
  expect(inferred("Min", { inputs: [[3]] })).toEqual(["float32 3"]);
  expect(() => inferred("Max", { inputs: [] })).toThrow(/takes 1 to Infinity inputs, not 0/);
});

test("Clip takes scalar bounds of its own type, each optional", () => {
  expect(inferred("Clip", { inputs: [["batch", 2], undefined, scalar(6)] })).toEqual(["float32 batch,2"]);
  expect(() => inferred("Clip", { inputs: [[2], [1]] })).toThrow(/input 1 must be a scalar/);
  expect(() => inferred("Clip", { inputs: [[2], scalar(1, "int32")] })).toThrow(/input 1 is int32/);
});

test("Where broadcasts its condition and both branches", () => {
  expect(inferred("Where", { inputs: [{ dtype: "bool", shape: [3] }, ["batch", 1], []] })).toEqual(["float32 batch,3"]);
  expect(() => inferred("Where", { inputs: [[3], [3], [3]] })).toThrow(/input 0 must be bool/);
});

test("Cast takes ONNX's number of a type and refuses one that is not there", () => {
  expect(inferred("Cast", { inputs: [["batch"]], attributes: { to: 7 } })).toEqual(["int64 batch"]);
  expect(() => inferred("Cast", { inputs: [[2]], attributes: { to: 16 } })).toThrow(/cannot cast to element type 16/);
  expect(() => inferred("Cast", { inputs: [[2]] })).toThrow(/attribute "to" is required/);
});

test("an unknown attribute and one of a wrong kind are refused", () => {
  expect(() => inferred("Elu", { inputs: [[2]], attributes: { aplha: 1 } })).toThrow(/no attribute "aplha"; it has alpha/);
  expect(() => inferred("Elu", { inputs: [[2]], attributes: { alpha: "1" } })).toThrow(/must be of kind float/);
});
