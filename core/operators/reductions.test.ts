import { expect, test } from "vitest";
import { tensor } from "../tensor.ts";
import { inferred } from "./testing/infer.ts";

test("reductions take axes, keep them or not, and take all by default", () => {
  const x = ["batch", 3, 4] as const;
  const axes = tensor("int64", [2], [0, -1]);
  expect(inferred("ReduceSum", { inputs: [x, axes] })).toEqual(["float32 1,3,1"]);
  expect(inferred("ReduceMean", { inputs: [x, axes], attributes: { keepdims: 0 } })).toEqual(["float32 3"]);
  expect(inferred("ReduceMax", { inputs: [x], attributes: { keepdims: 0 } })).toEqual(["float32 "]);
  expect(inferred("ReduceMin", { inputs: [x], attributes: { noop_with_empty_axes: 1 } })).toEqual(["float32 batch,3,4"]);
});

test("reductions refuse axes outside the rank, twice, or unknown while building, and the mean of whole numbers", () => {
  expect(() => inferred("ReduceSum", { inputs: [[3], tensor("int64", [1], [1])] })).toThrow(/axis 1 is outside rank 1/);
  expect(() => inferred("ReduceSum", { inputs: [[3, 4], tensor("int64", [2], [1, -1])] })).toThrow(/name an axis twice/);
  expect(() => inferred("ReduceSum", { inputs: [[3], { dtype: "int64", shape: [1] }] })).toThrow(/axes \(input 1\) must be an int64 constant/);
  expect(() => inferred("ReduceMean", { inputs: [{ dtype: "int32", shape: [3] }] })).toThrow(/not int32/);
});

test("ArgMax gives int64", () => {
  expect(inferred("ArgMax", { inputs: [["batch", 3]], attributes: { axis: -1, keepdims: 0 } })).toEqual(["int64 batch"]);
  expect(() => inferred("ArgMax", { inputs: [["batch", 3]], attributes: { axis: 2 } })).toThrow(/axis 2 is outside rank 2/);
});

test("Softmax keeps its shape and checks its axis", () => {
  expect(inferred("Softmax", { inputs: [["batch", 3]] })).toEqual(["float32 batch,3"]);
  expect(() => inferred("LogSoftmax", { inputs: [[]] })).toThrow(/axis -1 is outside rank 0/);
});

test("SoftmaxCrossEntropyLoss gives a scalar, or one loss for each label, and the log-probabilities when they are asked for", () => {
  const labels = { dtype: "int32", shape: ["batch"] } as const;
  expect(inferred("SoftmaxCrossEntropyLoss", { inputs: [["batch", 10], labels] })).toEqual(["float32 "]);
  expect(inferred("SoftmaxCrossEntropyLoss", { inputs: [["batch", 10], labels], attributes: { reduction: "none" }, outputs: 2 })).toEqual([
    "float32 batch",
    "float32 batch,10",
  ]);
});

test("SoftmaxCrossEntropyLoss refuses labels, weights and reductions that do not fit", () => {
  const labels = { dtype: "int32", shape: ["batch"] } as const;
  const loss = (inputs: Parameters<typeof inferred>[1]["inputs"], attributes = {}): readonly string[] =>
    inferred("SoftmaxCrossEntropyLoss", { inputs, attributes });
  expect(() => loss([["batch", 10], { dtype: "int32", shape: ["batch", 1] }])).toThrow(/labels must be \[batch\], not \[batch, 1\]/);
  expect(() => loss([["batch", 10], ["batch"]])).toThrow(/must be int32 or int64, not float32/);
  expect(() => loss([["batch"], labels])).toThrow(/scores must be \[batch, classes, ...\]/);
  expect(() => loss([["batch", 10], labels, [9]])).toThrow(/class weights must be \[10\], not \[9\]/);
  expect(() => loss([["batch", 10], labels], { reduction: "avg" })).toThrow(/reduction "avg" is not/);
});
