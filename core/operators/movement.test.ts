import { expect, test } from "vitest";
import { GraphBuilder } from "../graph/builder.ts";
import type { Dimension } from "../graph/graph.ts";
import { scalar, tensor, type Tensor } from "../tensor.ts";
import { inferred } from "./testing/infer.ts";
import { sliceRange } from "./slice.ts";

const ints = (...values: readonly number[]): Tensor => tensor("int64", [values.length], values);

const reshapes: readonly { from: readonly Dimension[]; to: readonly number[]; type: string }[] = [
  { from: ["batch", 4, 8], to: [-1, 32], type: "float32 batch,32" },
  { from: ["batch", 4, 8], to: [0, 2, -1], type: "float32 batch,2,16" },
  { from: ["batch", 32], to: [-1, 2, 4, 4], type: "float32 batch,2,4,4" },
  { from: ["batch", "batch"], to: [0, 0], type: "float32 batch,batch" },
  { from: ["batch", 6], to: [3, 2, -1], type: "float32 3,2,batch" },
  { from: [2, 3], to: [6], type: "float32 6" },
  { from: [1, 1], to: [], type: "float32 " },
];

test.each(reshapes)("Reshape of $from to $to is $type", ({ from, to, type }) => {
  expect(inferred("Reshape", { inputs: [from, ints(...to)] })).toEqual([type]);
});

test("Reshape refuses other numbers of elements, two -1, and a size that is a multiple of the batch", () => {
  expect(() => inferred("Reshape", { inputs: [[2, 3], ints(7)] })).toThrow(
    /^node \(Reshape .*reshape \[2, 3\] to \[7\]: the numbers of elements differ/,
  );
  expect(() => inferred("Reshape", { inputs: [["batch", 3], ints(3)] })).toThrow(/numbers of elements differ/);
  expect(() => inferred("Reshape", { inputs: [[2, 3], ints(-1, -1)] })).toThrow(/only one size may be -1/);
  expect(() => inferred("Reshape", { inputs: [["batch", 4, 8], ints(-1, 8)] })).toThrow(/neither a whole number nor the batch size/);
  expect(() => inferred("Reshape", { inputs: [[2, 3], ints(-1, 4)] })).toThrow(/neither a whole number/);
  expect(() => inferred("Reshape", { inputs: [[2], ints(2, 0)] })).toThrow(/0 at place 1 has no size to keep/);
  expect(() => inferred("Reshape", { inputs: [[2], ints(-2)] })).toThrow(/a size cannot be -2/);
  expect(() => inferred("Reshape", { inputs: [[2], { dtype: "int64", shape: [1] }] })).toThrow(/must be a constant or follow from Shape/);
});

test("with allowzero a 0 is a size", () => {
  expect(inferred("Reshape", { inputs: [[0, 3], ints(3, 0)], attributes: { allowzero: 1 } })).toEqual(["float32 3,0"]);
});

test("a shape computed from Shape, Slice, Gather and Concat is followed, batch included", () => {
  const builder = new GraphBuilder("test");
  const x = builder.input("x", "float32", ["batch", 4, 6]);
  const sizes = builder.op("Shape", [x]);
  const first = builder.op("Slice", [sizes, builder.ints([0]), builder.ints([1])]);
  const last = builder.op("Gather", [sizes, builder.ints([-1])]);
  const target = builder.op("Concat", [first, last, builder.ints([4])], { axis: 0 });
  expect(builder.op("Reshape", [x, target]).shape).toEqual(["batch", 6, 4]);
  expect(builder.op("Expand", [builder.scalar(0, "float32"), builder.op("Identity", [sizes])]).shape).toEqual(["batch", 4, 6]);
});

test("Flatten, Squeeze and Unsqueeze", () => {
  expect(inferred("Flatten", { inputs: [["batch", 2, 3]] })).toEqual(["float32 batch,6"]);
  expect(inferred("Flatten", { inputs: [[2, 3]], attributes: { axis: 0 } })).toEqual(["float32 1,6"]);
  expect(() => inferred("Flatten", { inputs: [["batch", 2, 3]], attributes: { axis: 2 } })).toThrow(/product of \[batch, 2\] is not one dimension/);
  expect(inferred("Squeeze", { inputs: [["batch", 1, 3, 1], ints(1)] })).toEqual(["float32 batch,3,1"]);
  expect(inferred("Squeeze", { inputs: [[2, 1, 3, 1]] })).toEqual(["float32 2,3"]);
  expect(() => inferred("Squeeze", { inputs: [["batch", 1, 3, 1]] })).toThrow(/needs the axes \(input 1\): without them a batch of one row/);
  expect(() => inferred("Squeeze", { inputs: [["batch", 1], ints(0)] })).toThrow(/axis 0 has size batch, not 1/);
  expect(inferred("Unsqueeze", { inputs: [["batch", 3], ints(0, -1)] })).toEqual(["float32 1,batch,3,1"]);
  expect(() => inferred("Unsqueeze", { inputs: [["batch", 3], ints(1, -3)] })).toThrow(/name an axis twice/);
});

test("Transpose takes every axis once", () => {
  expect(inferred("Transpose", { inputs: [["batch", 2, 3]], attributes: { perm: [1, 0, 2] } })).toEqual(["float32 2,batch,3"]);
  expect(inferred("Transpose", { inputs: [["batch", 2, 3]] })).toEqual(["float32 3,2,batch"]);
  expect(() => inferred("Transpose", { inputs: [["batch", 2, 3]], attributes: { perm: [1, 0] } })).toThrow(/must name each of 3 axes/);
  expect(() => inferred("Transpose", { inputs: [["batch", 2]], attributes: { perm: [1, 1] } })).toThrow(/twice/);
});

test("Concat adds up one axis and refuses inputs that differ elsewhere, and the batch axis", () => {
  expect(
    inferred("Concat", {
      inputs: [
        ["batch", 2],
        ["batch", 3],
      ],
      attributes: { axis: -1 },
    }),
  ).toEqual(["float32 batch,5"]);
  expect(() =>
    inferred("Concat", {
      inputs: [
        ["batch", 2],
        ["batch", 3, 1],
      ],
      attributes: { axis: 1 },
    }),
  ).toThrow(/inputs differ outside axis 1/);
  expect(() =>
    inferred("Concat", {
      inputs: [
        ["batch", 2],
        ["batch", 2],
      ],
      attributes: { axis: 0 },
    }),
  ).toThrow(/cannot be the batch dimension/);
  expect(() => inferred("Concat", { inputs: [["batch", 2]], attributes: { axis: 2 } })).toThrow(/axis 2 is outside rank 2/);
});

test("Split takes sizes or a number of parts", () => {
  expect(inferred("Split", { inputs: [["batch", 7], ints(3, 4)], attributes: { axis: 1 }, outputs: 2 })).toEqual([
    "float32 batch,3",
    "float32 batch,4",
  ]);
  expect(inferred("Split", { inputs: [["batch", 7]], attributes: { axis: 1, num_outputs: 3 }, outputs: 3 })).toEqual([
    "float32 batch,3",
    "float32 batch,3",
    "float32 batch,1",
  ]);
  expect(() => inferred("Split", { inputs: [[7], ints(3, 3)], outputs: 2 })).toThrow(/parts \[3, 3\] do not make up axis 0 of size 7/);
  expect(() => inferred("Split", { inputs: [[7]], attributes: { num_outputs: 1e9 }, outputs: 2 })).toThrow(/does not go with 2 outputs/);
  expect(() => inferred("Split", { inputs: [[7]], outputs: 2 })).toThrow(/needs sizes \(input 1\) or num_outputs/);
  expect(() => inferred("Split", { inputs: [["batch", 2]], outputs: 2, attributes: { num_outputs: 2 } })).toThrow(/cannot be the batch dimension/);
});

// Python's own slicing gives the expected elements: list(range(5))[start:end:step].
test.each([
  { start: 1, end: 4, step: 1, places: [1, 2, 3] },
  { start: -2, end: 100, step: 1, places: [3, 4] },
  { start: 0, end: 5, step: 2, places: [0, 2, 4] },
  { start: 4, end: 0, step: -2, places: [4, 2] },
  { start: 100, end: -100, step: -1, places: [4, 3, 2, 1, 0] },
  { start: 3, end: 1, step: 1, places: [] },
])("a slice of 5 from $start to $end by $step takes $places", ({ start, end, step, places }) => {
  const range = sliceRange(5, { start, end, step });
  expect(Array.from({ length: range.count }, (_, i) => range.first + i * range.step)).toEqual(places);
});

test("Slice keeps the batch whole or turns it round, nothing else", () => {
  expect(inferred("Slice", { inputs: [["batch", 5], ints(1), ints(4), ints(1)] })).toEqual(["float32 batch,3"]);
  expect(inferred("Slice", { inputs: [["batch", 5], ints(0), ints(2 ** 31), ints(0)] })).toEqual(["float32 batch,5"]);
  expect(() => inferred("Slice", { inputs: [["batch", 5], ints(0), ints(1), ints(0)] })).toThrow(/batch axis can only be taken whole/);
  expect(() => inferred("Slice", { inputs: [[5], ints(0), ints(1), ints(0), ints(0)] })).toThrow(/a step cannot be 0/);
  expect(() => inferred("Slice", { inputs: [[5], ints(0), ints(1, 2)] })).toThrow(/must be equally many/);
});

test("Pad adds and cuts, and refuses the batch axis, unknown modes, cuts beyond the end and reflections of more than there is", () => {
  expect(inferred("Pad", { inputs: [["batch", 5], ints(0, 1, 0, -2)] })).toEqual(["float32 batch,4"]);
  expect(inferred("Pad", { inputs: [["batch", 5], ints(1, 1), scalar(2), ints(-1)] })).toEqual(["float32 batch,7"]);
  expect(() => inferred("Pad", { inputs: [["batch", 5], ints(1, 0, 0, 0)] })).toThrow(/batch axis cannot be padded/);
  expect(() => inferred("Pad", { inputs: [[5], ints(1, 1)], attributes: { mode: "mirror" } })).toThrow(/mode "mirror" is not there; use constant/);
  expect(inferred("Pad", { inputs: [[5], ints(4, 4)], attributes: { mode: "reflect" } })).toEqual(["float32 13"]);
  expect(() => inferred("Pad", { inputs: [[5], ints(0, 5)], attributes: { mode: "reflect" } })).toThrow(
    /has 4 elements at most for a pad of axis 0, not 5/,
  );
  expect(() => inferred("Pad", { inputs: [[5], ints(-2, 3)], attributes: { mode: "reflect" } })).toThrow(/has 2 elements at most/);
  expect(() => inferred("Pad", { inputs: [[5], ints(6, 0)], attributes: { mode: "wrap" } })).toThrow(/has 5 elements at most/);
  expect(() => inferred("Pad", { inputs: [[0], ints(1, 0)], attributes: { mode: "edge" } })).toThrow(/has 0 elements at most/);
  expect(() => inferred("Pad", { inputs: [[5], ints(-3, -3)] })).toThrow(/pads cut 6 from axis 0 of size 5/);
  expect(() => inferred("Pad", { inputs: [[5], ints(1)] })).toThrow(/1 pads for 1 axes/);
});

test("Expand takes sizes that broadcast", () => {
  expect(inferred("Expand", { inputs: [["batch", 1], ints(4)] })).toEqual(["float32 batch,4"]);
  expect(() => inferred("Expand", { inputs: [[3], ints(4)] })).toThrow(/3 is not 4/);
  expect(() => inferred("Expand", { inputs: [[1], ints(-4)] })).toThrow(/negative size/);
});

test("Gather puts the shape of the indices in the place of its axis", () => {
  const indices = { dtype: "int32", shape: ["batch", 2] } as const;
  expect(inferred("Gather", { inputs: [[10, 4], indices] })).toEqual(["float32 batch,2,4"]);
  expect(inferred("Gather", { inputs: [[10, 4, 3], indices], attributes: { axis: -2 } })).toEqual(["float32 10,batch,2,3"]);
  expect(() => inferred("Gather", { inputs: [[10], [2]] })).toThrow(/input 1 must be int32 or int64, not float32/);
  expect(inferred("GatherGrad", { inputs: [[10, 4], indices, ["batch", 2, 4]] })).toEqual(["float32 10,4"]);
  expect(() => inferred("GatherGrad", { inputs: [[10, 4], indices, ["batch", 4]] })).toThrow(/dY is \[batch, 4\], but Gather gives \[batch, 2, 4\]/);
});

test("ScatterND checks indices and updates against the data", () => {
  const places = (...shape: readonly Dimension[]): { dtype: "int64"; shape: readonly Dimension[] } => ({ dtype: "int64", shape });
  expect(inferred("ScatterND", { inputs: [[5, 3], places("batch", 1), ["batch", 3]] })).toEqual(["float32 5,3"]);
  expect(() => inferred("ScatterND", { inputs: [[5, 3], places(2, 1), [2, 4]] })).toThrow(/updates must be \[2, 3\], not \[2, 4\]/);
  expect(() => inferred("ScatterND", { inputs: [[5, 3], places(2, 3), [2]] })).toThrow(/last axis of indices is 3: it must be from 1 to 2/);
  expect(() => inferred("ScatterND", { inputs: [[5], places(2, 1), [2]], attributes: { reduction: "mean" } })).toThrow(
    /reduction "mean" is not there; use none, add, mul, min, max/,
  );
});
