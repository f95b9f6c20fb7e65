import { expect, test } from "vitest";
import { GraphBuilder } from "../graph/builder.ts";
import type { Dimension } from "../graph/graph.ts";
import { scalar, tensor, type DType, type Tensor } from "../tensor.ts";
import { inferred } from "./testing/infer.ts";

const ints = (...values: readonly number[]): Tensor => tensor("int64", [values.length], values);
const int64 = (...shape: readonly Dimension[]): { dtype: DType; shape: readonly Dimension[] } => ({ dtype: "int64", shape });

test("GatherElements has the shape of its indices, which fit into the data outside the axis", () => {
  expect(inferred("GatherElements", { inputs: [["batch", 5], int64("batch", 2)], attributes: { axis: 1 } })).toEqual(["float32 batch,2"]);
  expect(inferred("GatherElements", { inputs: [[4, 3], int64(9, 2)] })).toEqual(["float32 9,2"]);
  expect(() => inferred("GatherElements", { inputs: [[4, 3], int64(2, 4)] })).toThrow(
    /indices \[2, 4\] are larger than the data \[4, 3\] outside axis 0/,
  );
  expect(() => inferred("GatherElements", { inputs: [["batch", 3], int64(2, 1)], attributes: { axis: 1 } })).toThrow(/larger than the data/);
  expect(() => inferred("GatherElements", { inputs: [[4, 3], int64(2)] })).toThrow(/must have the rank of the data, 2/);
});

test("ScatterElements asks for updates in the shape of the indices and for a known reduction", () => {
  expect(inferred("ScatterElements", { inputs: [["batch", 5], int64("batch", 2), ["batch", 2]], attributes: { axis: 1 } })).toEqual([
    "float32 batch,5",
  ]);
  expect(() => inferred("ScatterElements", { inputs: [[5], int64(2), [3]] })).toThrow(/updates must have the shape of indices, \[2\], not \[3\]/);
  expect(() => inferred("ScatterElements", { inputs: [[5], int64(2), [2]], attributes: { reduction: "sum" } })).toThrow(
    /use none, add, mul, min, max/,
  );
});

test("GatherND indexes the axes after those of the batch", () => {
  expect(inferred("GatherND", { inputs: [[5, 4, 3], int64("batch", 2)] })).toEqual(["float32 batch,3"]);
  expect(inferred("GatherND", { inputs: [["batch", 4, 3], int64("batch", 7, 1)], attributes: { batch_dims: 1 } })).toEqual(["float32 batch,7,3"]);
  expect(() => inferred("GatherND", { inputs: [[2, 4], int64(3, 1)], attributes: { batch_dims: 1 } })).toThrow(/the first 1 axes .* differ/);
  expect(() => inferred("GatherND", { inputs: [[2, 4], int64(2, 3)] })).toThrow(/last axis of indices is 3: it must be from 1 to 2/);
  expect(() => inferred("GatherND", { inputs: [[2, 4], int64(2, 1)], attributes: { batch_dims: 2 } })).toThrow(/batch_dims 2 must be from 0 to 1/);
});

test("OneHot puts its axis where it is asked to, and takes two values and a constant depth", () => {
  expect(inferred("OneHot", { inputs: [int64("batch", 2), scalar(5, "int64"), [2]] })).toEqual(["float32 batch,2,5"]);
  expect(inferred("OneHot", { inputs: [int64("batch"), scalar(5, "int64"), [2]], attributes: { axis: 0 } })).toEqual(["float32 5,batch"]);
  expect(() => inferred("OneHot", { inputs: [int64(2), scalar(0, "int64"), [2]] })).toThrow(/one whole number from 1, not 0/);
  expect(() => inferred("OneHot", { inputs: [int64(2), int64(), [2]] })).toThrow(/the depth \(input 1\) must be a constant/);
  expect(() => inferred("OneHot", { inputs: [int64(2), scalar(3, "int64"), [3]] })).toThrow(/must be two: off and on/);
  expect(() => inferred("OneHot", { inputs: [int64(2), scalar(3, "int64"), [2]], attributes: { axis: 2 } })).toThrow(/outside rank 2 of the result/);
});

test("TopK takes at most as many as there are, not along the batch", () => {
  expect(inferred("TopK", { inputs: [["batch", 5], ints(3)], outputs: 2 })).toEqual(["float32 batch,3", "int64 batch,3"]);
  expect(() => inferred("TopK", { inputs: [["batch", 5], ints(6)], outputs: 2 })).toThrow(/from 0 to 5, the size of axis 1, not 6/);
  expect(() => inferred("TopK", { inputs: [["batch", 5], ints(1)], outputs: 2, attributes: { axis: 0 } })).toThrow(/cannot be the batch dimension/);
});

test("Tile multiplies sizes, the batch only by 1", () => {
  expect(inferred("Tile", { inputs: [["batch", 2, 3], ints(1, 4, 0)] })).toEqual(["float32 batch,8,0"]);
  expect(() => inferred("Tile", { inputs: [["batch", 2], ints(2, 1)] })).toThrow(/the batch axis cannot be repeated/);
  expect(() => inferred("Tile", { inputs: [[2], ints(-1)] })).toThrow(/cannot be repeated -1 times/);
  expect(() => inferred("Tile", { inputs: [[2, 3], ints(2)] })).toThrow(/1 repeats for 2 axes/);
});

test("Range has the length of its steps, which must be known", () => {
  expect(inferred("Range", { inputs: [scalar(0, "int64"), scalar(10, "int64"), scalar(3, "int64")] })).toEqual(["int64 4"]);
  expect(inferred("Range", { inputs: [scalar(0.5), scalar(-1), scalar(-0.5)] })).toEqual(["float32 3"]);
  expect(() => inferred("Range", { inputs: [scalar(0), scalar(1), scalar(0)] })).toThrow(/the delta \(input 2\) cannot be 0/);
  expect(() => inferred("Range", { inputs: [scalar(0), [], scalar(1)] })).toThrow(/input 1 is neither/);
});

test("the contents of Range and Size are followed, the batch's too", () => {
  const builder = new GraphBuilder("test");
  const x = builder.input("x", "float32", ["batch", 4, 6]);
  const steps = builder.op("Range", [builder.scalar(2, "int64"), builder.scalar(7, "int64"), builder.scalar(2, "int64")]);
  expect(builder.op("Expand", [builder.scalar(0, "float32"), steps]).shape).toEqual([2, 4, 6]);
  const batch = builder.op("Squeeze", [builder.op("Shape", [x], { start: 0, end: 1 })]);
  expect(builder.op("Range", [builder.scalar(0, "int64"), batch, builder.scalar(1, "int64")]).shape).toEqual(["batch"]);
  expect(
    builder.dimensionsOf(builder.op("Size", [builder.op("Slice", [x, builder.ints([0, 0]), builder.ints([1, 1]), builder.ints([1, 2])])]).name),
  ).toEqual(["batch"]);
  expect(builder.dimensionsOf(builder.op("Size", [x]).name)).toBeUndefined();
});

test("EyeLike and Trilu take matrices", () => {
  expect(inferred("EyeLike", { inputs: [["batch", 3]], attributes: { dtype: 7 } })).toEqual(["int64 batch,3"]);
  expect(() => inferred("EyeLike", { inputs: [[3]] })).toThrow(/must be a matrix, not \[3\]/);
  expect(() => inferred("EyeLike", { inputs: [[3, 3]], attributes: { dtype: 16 } })).toThrow(/element type 16 of ONNX is not there/);
  expect(() => inferred("Trilu", { inputs: [[3]] })).toThrow(/two axes at least/);
  expect(() => inferred("Trilu", { inputs: [[3, 3], ints(1)] })).toThrow(/k \(input 1\) must be a scalar/);
});

test("DepthToSpace and SpaceToDepth divide what they move", () => {
  expect(inferred("DepthToSpace", { inputs: [["batch", 8, 2, 3]], attributes: { blocksize: 2 } })).toEqual(["float32 batch,2,4,6"]);
  expect(inferred("SpaceToDepth", { inputs: [["batch", 2, 4, 6]], attributes: { blocksize: 2 } })).toEqual(["float32 batch,8,2,3"]);
  expect(() => inferred("DepthToSpace", { inputs: [["batch", 6, 2, 3]], attributes: { blocksize: 2 } })).toThrow(/6 channels do not divide by 4/);
  expect(() => inferred("SpaceToDepth", { inputs: [["batch", 2, 3, 6]], attributes: { blocksize: 2 } })).toThrow(
    /3 x 6 does not divide into blocks of 2 x 2/,
  );
  expect(() => inferred("DepthToSpace", { inputs: [[4, 2, 3]], attributes: { blocksize: 2 } })).toThrow(/\[batch, channels, height, width\]/);
  expect(() => inferred("DepthToSpace", { inputs: [["batch", 4, 2, 3]], attributes: { blocksize: 0 } })).toThrow(/at least 1, not 0/);
});

test("ReverseSequence asks for one length a sequence", () => {
  expect(inferred("ReverseSequence", { inputs: [[5, "batch", 2], int64("batch")] })).toEqual(["float32 5,batch,2"]);
  expect(() => inferred("ReverseSequence", { inputs: [[5, 3], int64(5)] })).toThrow(/must be \[3\], one for each sequence, not \[5\]/);
  expect(() => inferred("ReverseSequence", { inputs: [[5, 3], int64(3)], attributes: { time_axis: 1 } })).toThrow(
    /batch_axis and time_axis are both 1/,
  );
});
