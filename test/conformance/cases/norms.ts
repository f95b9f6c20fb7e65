import { f32, ints, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const axisOf = (axis: number): InputSpec => ({ dtype: "int64", shape: [], kind: "constant", draw: { values: [axis] } });

/** Norms, logarithms of sums, products and running sums. */
export const normSpecs: readonly OperatorSpec[] = [
  ...(["ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"] as const).flatMap(
    (operator): readonly OperatorSpec[] => {
      const draw = operator === "ReduceLogSum" ? ({ uniform: [0.2, 2] } as const) : operator === "ReduceL1" ? "distinct" : "normal";
      return [
        { operator, about: "the last axis", inputs: [f32(["batch", 7], draw), ints(-1)] },
        { operator, about: "the batch, axis dropped", inputs: [f32(["batch", 5], draw), ints(0)], attributes: { keepdims: 0 } },
        { operator, about: "everything", inputs: [f32(["batch", 3, 2], draw)], attributes: { keepdims: 0 }, tolerance: 5e-5 },
        { operator, about: "two axes of four, kept", inputs: [f32(["batch", 3, 2, 5], draw), ints(1, -1)], tolerance: 5e-5 },
        { operator, about: "an axis of size 1", inputs: [f32(["batch", 1, 4], draw), ints(1)], attributes: { keepdims: 0 } },
        { operator, about: "no axes", inputs: [f32(["batch", 4], draw), ints()], attributes: { noop_with_empty_axes: 1 } },
      ];
    },
  ),
  { operator: "ReduceProd", about: "one zero and two", inputs: [f32(["batch", 4], { values: [2, 0, 3, -1, 0, 5, 0, 4, 1, 2, 3, 4] }), ints(1)] },
  { operator: "ReduceProd", about: "int64", inputs: [{ dtype: "int64", shape: ["batch", 4], draw: { integers: [-4, 5] } }, ints(1)] },
  { operator: "ReduceL2", about: "all zeros: the gradient is 0", inputs: [f32([2, 3], { values: [0, 0, 0, 1, 2, 2] }), ints(1)], gradients: [] },
  { operator: "ReduceLogSumExp", about: "large numbers", inputs: [f32(["batch", 5], { uniform: [-300, 300] }), ints(1)] },
  { operator: "ArgMin", about: "the last axis", inputs: [f32(["batch", 7], "distinct")], attributes: { axis: -1, keepdims: 0 }, gradients: [] },
  { operator: "ArgMin", about: "ties: the first", inputs: [f32(["batch", 8], "ties")], attributes: { axis: 1 }, gradients: [] },
  {
    operator: "ArgMin",
    about: "ties: the last",
    inputs: [f32(["batch", 8], "ties")],
    attributes: { axis: 1, keepdims: 0, select_last_index: 1 },
    gradients: [],
  },
  {
    operator: "ArgMin",
    about: "int32",
    inputs: [{ dtype: "int32", shape: ["batch", 5, 3], draw: { integers: [-9, 9] } }],
    attributes: { axis: 1 },
    gradients: [],
  },
  ...[
    { about: "forwards", attributes: {} },
    { about: "exclusive", attributes: { exclusive: 1 } },
    { about: "backwards", attributes: { reverse: 1 } },
    { about: "exclusive, backwards", attributes: { exclusive: 1, reverse: 1 } },
  ].map(({ about, attributes }): OperatorSpec => ({ operator: "CumSum", about, inputs: [f32(["batch", 7, 2]), axisOf(1)], attributes })),
  { operator: "CumSum", about: "along the batch", inputs: [f32(["batch", 3]), axisOf(0)] },
  { operator: "CumSum", about: "one element, exclusive", inputs: [f32(["batch", 1]), axisOf(-1)], attributes: { exclusive: 1 } },
  { operator: "CumSum", about: "int32", inputs: [{ dtype: "int32", shape: ["batch", 6], draw: { integers: [-9, 9] } }, axisOf(1)] },
  { operator: "LpNormalization", about: "L2, the last axis", inputs: [f32(["batch", 5])] },
  { operator: "LpNormalization", about: "L1, axis 1", inputs: [f32(["batch", 4, 3], "distinct")], attributes: { axis: 1, p: 1 } },
  { operator: "LpNormalization", about: "a line of zeros", inputs: [f32([2, 3], { values: [0, 0, 0, 1, 2, 2] })], gradients: [] },
];
