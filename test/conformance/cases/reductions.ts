import { f32, ints, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const reductions = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"] as const;

/** Reductions, softmax and its loss. */
export const reductionSpecs: readonly OperatorSpec[] = [
  ...reductions.flatMap((operator): readonly OperatorSpec[] => {
    const draw = operator === "ReduceMax" || operator === "ReduceMin" ? "distinct" : "normal";
    return [
      { operator, about: "the last axis", inputs: [f32(["batch", 7], draw), ints(-1)] },
      { operator, about: "the batch, axis dropped", inputs: [f32(["batch", 5], draw), ints(0)], attributes: { keepdims: 0 } },
      { operator, about: "everything", inputs: [f32(["batch", 3, 5], draw)], attributes: { keepdims: 0 } },
      { operator, about: "everything, axes kept", inputs: [f32(["batch", 3, 5], draw)] },
      { operator, about: "the outer and an inner axis", inputs: [f32(["batch", 3, 4, 5], draw), ints(0, 2)], attributes: { keepdims: 0 } },
      { operator, about: "spatial axes", inputs: [f32(["batch", 3, 4, 5], draw), ints(2, 3)] },
      { operator, about: "an axis of size 1", inputs: [f32(["batch", 1, 4], draw), ints(1)] },
      { operator, about: "a middle axis of 257", inputs: [f32(["batch", 257, 3], draw), ints(1)], tolerance: 5e-5 },
      { operator, about: "no axes, left as it is", inputs: [f32(["batch", 4], draw), ints()], attributes: { noop_with_empty_axes: 1 } },
    ];
  }),
  { operator: "ReduceMax", about: "ties share the gradient", inputs: [f32(["batch", 6], "ties"), ints(1)] },
  { operator: "ArgMax", about: "the last axis", inputs: [f32(["batch", 7], "distinct")], attributes: { axis: -1, keepdims: 0 } },
  { operator: "ArgMax", about: "axis 1 of 3, kept", inputs: [f32(["batch", 5, 3], "distinct")], attributes: { axis: 1 } },
  { operator: "ArgMax", about: "ties: the first", inputs: [f32(["batch", 8], "ties")], attributes: { axis: 1, keepdims: 0 } },
  { operator: "ArgMax", about: "ties: the last", inputs: [f32(["batch", 8], "ties")], attributes: { axis: 1, keepdims: 0, select_last_index: 1 } },
  ...(["Softmax", "LogSoftmax"] as const).flatMap((operator): readonly OperatorSpec[] => [
    { operator, about: "the last axis", inputs: [f32(["batch", 10])] },
    { operator, about: "axis 1 of 4", inputs: [f32(["batch", 5, 2, 3])], attributes: { axis: 1 } },
    { operator, about: "one class", inputs: [f32(["batch", 1])] },
    { operator, about: "large numbers", inputs: [f32(["batch", 6], { uniform: [-300, 300] })] },
    { operator, about: "257 classes", inputs: [f32(["batch", 257])], tolerance: 5e-5 },
  ]),
  ...(["mean", "sum", "none"] as const).map((reduction): OperatorSpec => {
    const labels: InputSpec = { dtype: "int64", shape: ["batch"], draw: { values: [2, 1, 0, 3] } };
    return { operator: "NegativeLogLikelihoodLoss", about: reduction, inputs: [f32(["batch", 4]), labels], attributes: { reduction } };
  }),
  {
    operator: "NegativeLogLikelihoodLoss",
    about: "another axis, class weights, ignored labels",
    inputs: [
      f32(["batch", 3, 2]),
      { dtype: "int32", shape: ["batch", 2], draw: { values: [2, -1, 0, 1] } },
      { ...f32([3], { values: [0.5, 2, 1] }), kind: "constant" },
    ],
    attributes: { ignore_index: -1 },
  },
  crossEntropy("mean"),
  crossEntropy("sum"),
  crossEntropy("none"),
  crossEntropy("mean", { ignored: true }),
  crossEntropy("sum", { weighted: true }),
  crossEntropy("mean", { weighted: true, ignored: true }),
  crossEntropy("none", { weighted: true }),
  {
    operator: "SoftmaxCrossEntropyLoss",
    about: "the log-probabilities too",
    inputs: [f32(["batch", 6]), { dtype: "int32", shape: ["batch"], draw: { integers: [0, 6] } }],
    outputs: 2,
  },
  {
    operator: "SoftmaxCrossEntropyLoss",
    about: "labels with another axis",
    inputs: [f32(["batch", 4, 5]), { dtype: "int32", shape: ["batch", 5], draw: { integers: [0, 4] } }],
  },
  {
    operator: "SoftmaxCrossEntropyLoss",
    about: "int64 labels",
    inputs: [f32(["batch", 3]), { dtype: "int64", shape: ["batch"], draw: { integers: [0, 3] } }],
  },
  {
    operator: "SoftmaxCrossEntropyLoss",
    about: "large scores",
    inputs: [f32(["batch", 5], { values: [150, -200, 30, 80, -10] }), { dtype: "int32", shape: ["batch"], draw: { values: [1, 0, 3] } }],
  },
];

function crossEntropy(reduction: string, { weighted = false, ignored = false }: { weighted?: boolean; ignored?: boolean } = {}): OperatorSpec {
  return {
    operator: "SoftmaxCrossEntropyLoss",
    about: [reduction, ...(weighted ? ["class weights"] : []), ...(ignored ? ["ignored labels"] : [])].join(", "),
    inputs: [
      f32(["batch", 4]),
      // The first label counts, so that a mean never divides by 0.
      { dtype: "int32", shape: ["batch"], draw: { values: ignored ? [2, -1, 0, 3] : [2, 1, 0, 3] } },
      ...(weighted ? [{ ...f32([4], { values: [0.5, 2, 1, 3] }), kind: "constant" as const }] : []),
    ],
    attributes: { reduction, ...(ignored && { ignore_index: -1 }) },
  };
}
