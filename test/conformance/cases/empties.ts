import { f32, ints, weight, type OperatorSpec } from "../operator-spec.ts";

const none = { dtype: "int64", shape: [0], kind: "constant", draw: { values: [0] } } as const;

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
  { operator: "TopK", about: "none of five", inputs: [f32(["batch", 5], "distinct"), ints(0)], outputs: 2 },
];
