import { constant, f32, ints, weight, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const int32 = (shape: InputSpec["shape"], low: number, high: number): InputSpec => ({ dtype: "int32", shape, draw: { integers: [low, high] } });
const int64 = (shape: InputSpec["shape"], low: number, high: number): InputSpec => ({ dtype: "int64", shape, draw: { integers: [low, high] } });
const places = (shape: InputSpec["shape"], values: readonly number[]): InputSpec => ({ dtype: "int64", shape, draw: { values } });
const whole = (value: number): InputSpec => constant(value, "int64");

/** Operators whose indices name single elements or blocks. */
export const indexingSpecs: readonly OperatorSpec[] = [
  { operator: "GatherElements", about: "axis 1", inputs: [f32(["batch", 5]), int64(["batch", 3], 0, 5)], attributes: { axis: 1 } },
  {
    operator: "GatherElements",
    about: "int32, negative indices",
    inputs: [f32(["batch", 4, 3]), int32(["batch", 2, 3], -4, 4)],
    attributes: { axis: 1 },
  },
  { operator: "GatherElements", about: "axis 0, fewer columns", inputs: [weight([4, 3]), int64([5, 2], 0, 4)] },
  {
    operator: "GatherElements",
    about: "the last axis of three",
    inputs: [f32(["batch", 2, 6]), int64(["batch", 2, 4], -6, 6)],
    attributes: { axis: -1 },
  },
  { operator: "GatherElements", about: "int64 data", inputs: [int64(["batch", 5], -9, 9), int64(["batch", 2], 0, 5)], attributes: { axis: 1 } },
  ...(["add", "mul", "min", "max"] as const).map((reduction): OperatorSpec => ({
    operator: "ScatterElements",
    about: `${reduction}, places named twice`,
    inputs: [f32(["batch", 4], "distinct"), places(["batch", 3], [1, 3, 1]), f32(["batch", 3], { uniform: [1.5, 2.5] })],
    attributes: { axis: 1, reduction },
  })),
  {
    operator: "ScatterElements",
    about: "overwritten",
    inputs: [f32(["batch", 5]), places(["batch", 2], [4, 1]), f32(["batch", 2])],
    attributes: { axis: 1 },
  },
  {
    operator: "ScatterElements",
    about: "axis 0, fewer columns, negative",
    inputs: [f32([4, 3]), places([2, 2], [-1, 0, 1, 2]), f32([2, 2])],
    attributes: { reduction: "add" },
  },
  {
    operator: "ScatterElements",
    about: "mul with zeros",
    inputs: [f32([2, 3], { values: [0, 2, 3, 4, 0, 5] }), places([2, 3], [0, 1, 1, 1, 1, 2]), f32([2, 3], { values: [3, 0, 2, 2, 3, 4] })],
    attributes: { axis: 1, reduction: "mul" },
  },
  {
    operator: "ScatterElements",
    about: "max with ties",
    inputs: [f32([2, 3], "ties"), places([2, 4], [0, 1, 1, 2, 0, 0, 1, 2]), f32([2, 4], "ties")],
    attributes: { axis: 1, reduction: "max" },
  },
  {
    operator: "ScatterElements",
    about: "int32, min",
    inputs: [int32(["batch", 4], -9, 9), places(["batch", 3], [0, 3, 0]), int32(["batch", 3], -9, 9)],
    attributes: { axis: 1, reduction: "min" },
  },
  ...(["mul", "min", "max"] as const).map((reduction): OperatorSpec => ({
    operator: "ScatterND",
    about: `rows, ${reduction}`,
    inputs: [f32([4, 3], "distinct"), places([3, 1], [3, 1, 3]), f32([3, 3], { uniform: [1.5, 2.5] })],
    attributes: { reduction },
  })),
  { operator: "ScatterND", about: "single elements, both sides", inputs: [f32([4, 3]), places([3, 2], [0, 2, 3, -1, 1, 1]), f32([3])] },
  { operator: "GatherND", about: "rows", inputs: [weight([5, 3]), places(["batch", 1], [4, 0, -1, 4])] },
  { operator: "GatherND", about: "single elements", inputs: [weight([4, 3]), places([3, 2], [0, 2, 3, 1, -1, 0])] },
  {
    operator: "GatherND",
    about: "one batch axis",
    inputs: [f32(["batch", 5, 2]), places(["batch", 3, 1], [4, 0, -2])],
    attributes: { batch_dims: 1 },
  },
  {
    operator: "GatherND",
    about: "two batch axes, single elements",
    inputs: [f32(["batch", 2, 3, 4]), places(["batch", 2, 2], [2, 1, 0, -1])],
    attributes: { batch_dims: 2 },
  },
  { operator: "OneHot", about: "a scalar", inputs: [int64([], 0, 5), whole(5), weight([2])] },
  { operator: "OneHot", about: "the last axis", inputs: [int64(["batch"], 0, 5), whole(5), weight([2])] },
  {
    operator: "OneHot",
    about: "a first axis, negative and outside",
    inputs: [int32(["batch", 2], -6, 7), whole(4), weight([2])],
    attributes: { axis: 0 },
  },
  {
    operator: "OneHot",
    about: "float indices, axis 1",
    inputs: [f32(["batch", 3], { integers: [0, 4] }), constant(4), weight([2])],
    attributes: { axis: 1 },
    gradients: [2],
  },
  { operator: "TopK", about: "the largest 3", inputs: [f32(["batch", 7], "distinct"), ints(3)], outputs: 2 },
  {
    operator: "TopK",
    about: "the smallest 2, axis 1 of 3",
    inputs: [f32(["batch", 5, 3], "distinct"), ints(2)],
    outputs: 2,
    attributes: { axis: 1, largest: 0 },
  },
  { operator: "TopK", about: "ties: the first", inputs: [f32(["batch", 8], "ties"), ints(5)], outputs: 2 },
  { operator: "TopK", about: "all, int32", inputs: [int32(["batch", 4], -3, 4), ints(4)], outputs: 2 },
  { operator: "TopK", about: "3 of 1100", inputs: [f32(["batch", 1100], "distinct"), ints(3)], outputs: 2 },
  {
    operator: "TopK",
    about: "the smallest 4 of 1030, ties",
    inputs: [f32(["batch", 1030], "ties"), ints(4)],
    outputs: 2,
    attributes: { largest: 0 },
  },
  { operator: "ReverseSequence", about: "time first", inputs: [f32([5, "batch", 2]), int64(["batch"], 1, 6)] },
  {
    operator: "ReverseSequence",
    about: "the batch first",
    inputs: [f32(["batch", 4, 3]), int64(["batch"], 1, 5)],
    attributes: { batch_axis: 0, time_axis: 1 },
  },
];
