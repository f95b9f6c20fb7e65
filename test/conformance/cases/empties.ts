import { f32, ints, weight, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const none = { dtype: "int64", shape: [0], kind: "constant", draw: { values: [0] } } as const;

function indices(shape: readonly "batch"[], size: number): InputSpec {
  return { dtype: "int64", shape, draw: { integers: [0, size] } };
}

/** Values without elements. */
export const emptySpecs: readonly OperatorSpec[] = [
  { operator: "Add", about: "empty", inputs: [f32(["batch", 0]), f32(["batch", 1])] },
  { operator: "Sigmoid", about: "empty", inputs: [f32(["batch", 0, 3])] },
  { operator: "MatMul", about: "an empty inner axis", inputs: [f32(["batch", 0]), weight([0, 3])] },
  { operator: "ReduceSum", about: "an empty axis", inputs: [f32(["batch", 0, 2]), ints(1)] },
  { operator: "Concat", about: "an empty part", inputs: [f32(["batch", 2]), f32(["batch", 0]), f32(["batch", 1])], attributes: { axis: 1 } },
  { operator: "Split", about: "an empty part", inputs: [f32(["batch", 5]), ints(2, 0, 3)], outputs: 3, attributes: { axis: 1 } },
  { operator: "Slice", about: "nothing", inputs: [f32(["batch", 5]), ints(3), ints(3), ints(1)] },
  { operator: "Transpose", about: "empty", inputs: [f32(["batch", 0, 3])], attributes: { perm: [2, 0, 1] } },
  { operator: "Gather", about: "no indices", inputs: [weight([4, 3]), none] },
  { operator: "Expand", about: "to nothing", inputs: [f32(["batch", 1]), ints(1, 0)] },
  { operator: "Where", about: "empty", inputs: [{ dtype: "bool", shape: ["batch", 0], draw: { integers: [0, 2] } }, f32(["batch", 0]), weight([1])] },
  { operator: "CumSum", about: "empty", inputs: [f32(["batch", 0]), { dtype: "int64", shape: [], kind: "constant", draw: { values: [1] } }] },
  { operator: "Slice", about: "nothing backwards, in steps", inputs: [f32(["batch", 1]), ints(1), ints(7), ints(-1), ints(-3)] },
  {
    operator: "Slice",
    about: "nothing of one axis, all of another in steps",
    inputs: [f32(["batch", 3, 4]), ints(3, 0), ints(3, 4), ints(1, 2), ints(2, 2)],
  },
  { operator: "Split", about: "an empty axis", inputs: [f32(["batch", 0])], outputs: 3, attributes: { axis: -1, num_outputs: 3 } },
  { operator: "Split", about: "the last part is empty", inputs: [f32([4, 2])], outputs: 3, attributes: { axis: 0, num_outputs: 3 } },
  { operator: "Split", about: "fewer elements than parts", inputs: [f32([2, 1])], outputs: 3, attributes: { axis: 1, num_outputs: 3 } },
  {
    operator: "Pad",
    about: "wrapped round beside an empty axis",
    inputs: [f32(["batch", 0, 2]), ints(0, 0, 1, 0, 0, 2)],
    attributes: { mode: "wrap" },
  },
  { operator: "Gather", about: "a row of nothing", inputs: [weight([3, 0]), indices(["batch"], 3)] },
  { operator: "ArgMin", about: "beside an empty axis", inputs: [f32([2, 3, 0])], attributes: { axis: 1 }, gradients: [] },
  ...(["Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"] as const).map((name): OperatorSpec => ({
    operator: `Reduce${name}`,
    about: "an empty axis",
    inputs: [f32(["batch", 0, 2]), ints(1)],
    attributes: { keepdims: 0 },
  })),
  { operator: "ReduceMean", about: "an axis beside an empty one", inputs: [f32(["batch", 0, 2, 3]), ints(-1)] },
  { operator: "ReduceLogSum", about: "two axes, one of them empty, of no batch", inputs: [f32([4, 0, 3]), ints(0, 1)] },
  { operator: "TopK", about: "none of five", inputs: [f32(["batch", 5], "distinct"), ints(0)], outputs: 2 },
];
