import { constant, f32, weight, type OperatorSpec } from "../operator-spec.ts";

const smooth = ["Sigmoid", "Tanh", "Softplus", "Erf", "Exp", "Neg"] as const;
const kinked = ["Relu", "Abs", "LeakyRelu", "Elu"] as const;

/** Operators of one float, element by element. */
export const unarySpecs: readonly OperatorSpec[] = [
  ...smooth.map((operator): OperatorSpec => ({ operator, about: "[batch, 5]", inputs: [f32(["batch", 5])] })),
  ...smooth.map((operator): OperatorSpec => ({ operator, about: "a scalar", inputs: [f32([])] })),
  ...kinked.map((operator): OperatorSpec => ({ operator, about: "[batch, 3, 7]", inputs: [f32(["batch", 3, 7], "distinct")] })),
  { operator: "Relu", about: "exactly 0", inputs: [f32(["batch", 4], { values: [0, -1, 1, 0] })] },
  { operator: "Relu", about: "[batch, 3, 5, 33]", inputs: [f32(["batch", 3, 5, 33], "distinct")] },
  { operator: "LeakyRelu", about: "alpha 0.3", inputs: [f32(["batch", 5], "distinct")], attributes: { alpha: 0.3 } },
  { operator: "Elu", about: "alpha 1.7", inputs: [f32(["batch", 5], "distinct")], attributes: { alpha: 1.7 } },
  { operator: "GaussianNoise", about: "as it predicts", inputs: [f32(["batch", 5])], attributes: { stddev: 0.5 } },
  { operator: "GaussianDropout", about: "as it predicts", inputs: [f32(["batch", 5])], attributes: { rate: 0.5 } },
  { operator: "SpatialDropout", about: "as it predicts", inputs: [f32(["batch", 5, 2])], attributes: { rate: 0.5 } },
  { operator: "AlphaDropout", about: "as it predicts", inputs: [f32(["batch", 5])], attributes: { rate: 0.5 } },
  { operator: "DropPath", about: "as it predicts", inputs: [f32(["batch", 5])], attributes: { rate: 0.5 } },
  { operator: "ActivityRegularization", about: "passes on what it marks", inputs: [f32(["batch", 5])], attributes: { kind: "l2", l2: 0.5 } },
  { operator: "Dropout", about: "as it predicts", inputs: [f32(["batch", 5]), constant(0.3)] },
  { operator: "Gelu", about: "by the error function", inputs: [f32(["batch", 9])] },
  { operator: "Gelu", about: "by tanh", inputs: [f32(["batch", 9])], attributes: { approximate: "tanh" } },
  { operator: "Log", about: "positive numbers", inputs: [f32(["batch", 6], { uniform: [0.2, 5] })] },
  { operator: "Sqrt", about: "positive numbers", inputs: [f32(["batch", 6], { uniform: [0.2, 5] })] },
  { operator: "Reciprocal", about: "both signs", inputs: [f32(["batch", 6], "distinct")], tolerance: 2e-5 },
  { operator: "Sign", about: "with zeros", inputs: [f32(["batch", 5], { values: [-2, 0, 3, -0.5, 0.1] })], gradients: [] },
  { operator: "Sigmoid", about: "large numbers", inputs: [f32(["batch", 4], { values: [-80, -20, 20, 80] })] },
  { operator: "Softplus", about: "large numbers", inputs: [f32(["batch", 4], { values: [-60, -20, 20, 60] })] },
  { operator: "Tanh", about: "large numbers", inputs: [f32(["batch", 4], { values: [-40, -9, 9, 40] })] },
  { operator: "Neg", about: "int64", inputs: [{ dtype: "int64", shape: ["batch", 3], draw: { integers: [-5, 5] } }] },
  { operator: "Abs", about: "int32", inputs: [{ dtype: "int32", shape: ["batch", 3], draw: { integers: [-5, 5] } }] },
  { operator: "Not", about: "[batch, 4]", inputs: [{ dtype: "bool", shape: ["batch", 4], draw: { integers: [0, 2] } }] },
  { operator: "Identity", about: "[batch, 4]", inputs: [f32(["batch", 4])] },
];

const arithmetic = ["Add", "Sub", "Mul", "Div"] as const;

/** Operators of two or more inputs under broadcasting. */
export const binarySpecs: readonly OperatorSpec[] = [
  ...arithmetic.flatMap((operator): readonly OperatorSpec[] => [
    { operator, about: "equal shapes", inputs: [f32(["batch", 5]), f32(["batch", 5], "distinct")] },
    { operator, about: "a row", inputs: [f32(["batch", 7]), weight([7], "distinct")] },
    { operator, about: "a column and a row", inputs: [f32(["batch", 1]), weight([1, 6], "distinct")] },
    { operator, about: "a channel", inputs: [f32(["batch", 3, 4, 5]), weight([3, 1, 1], "distinct")] },
    { operator, about: "a scalar constant", inputs: [f32(["batch", 4]), constant(0.7)] },
    { operator, about: "a scalar first", inputs: [weight([]), f32(["batch", 4], "distinct")] },
    { operator, about: "sizes of 1 on both sides", inputs: [f32(["batch", 1, 5, 1]), weight([2, 1, 3], "distinct")] },
  ]),
  { operator: "Add", about: "int64", inputs: [int64(["batch", 3]), int64([3])] },
  { operator: "Mul", about: "int32", inputs: [int32(["batch", 3]), int32([3])] },
  {
    operator: "Div",
    about: "int32 is cut towards 0",
    inputs: [int32(["batch", 4]), { dtype: "int32", shape: [4], draw: { values: [3, -3, 2, -2] } }],
  },
  { operator: "Pow", about: "a constant square", inputs: [f32(["batch", 5]), constant(2)] },
  { operator: "Pow", about: "a constant cube", inputs: [f32(["batch", 5]), constant(3)] },
  { operator: "Pow", about: "a constant 0.5", inputs: [f32(["batch", 5], { uniform: [0.3, 4] }), constant(0.5)] },
  { operator: "Pow", about: "a fed exponent", inputs: [f32(["batch", 5], { uniform: [0.3, 3] }), f32([5], { uniform: [-2, 2] })], tolerance: 2e-5 },
  ...(["Max", "Min"] as const).flatMap((operator): readonly OperatorSpec[] => [
    { operator, about: "two, broadcast", inputs: [f32(["batch", 5], "distinct"), weight([5], { values: [0.1, -0.2, 0.33, 0, -3] })] },
    { operator, about: "three", inputs: [f32(["batch", 3], "distinct"), f32(["batch", 3]), constant(0.02)] },
    { operator, about: "one", inputs: [f32(["batch", 3])] },
    { operator, about: "ties share the gradient", inputs: [f32(["batch", 6], "ties"), f32([6], "ties")] },
  ]),
  { operator: "Clip", about: "both ends", inputs: [f32(["batch", 7], "distinct"), constant(-0.4), constant(0.6)] },
  { operator: "Clip", about: "a low end", inputs: [f32(["batch", 7], "distinct"), constant(0.1)] },
  { operator: "Clip", about: "a high end", inputs: [f32(["batch", 7], "distinct"), undefined, constant(0.1)] },
];

/** Comparisons and logic. */
export const comparisonSpecs: readonly OperatorSpec[] = [
  ...(["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"] as const).flatMap((operator): readonly OperatorSpec[] => [
    { operator, about: "floats with ties", inputs: [f32(["batch", 9], "ties"), f32([9], "ties")] },
    { operator, about: "int32", inputs: [int32(["batch", 6]), int32([1])] },
    { operator, about: "int64", inputs: [int64(["batch", 6]), int64([6])] },
  ]),
  ...(["And", "Or"] as const).map((operator): OperatorSpec => ({
    operator,
    about: "broadcast",
    inputs: [
      { dtype: "bool", shape: ["batch", 1, 4], draw: { integers: [0, 2] } },
      { dtype: "bool", shape: [3, 1], draw: { values: [0, 1, 0] } },
    ],
  })),
  {
    operator: "Where",
    about: "three shapes",
    inputs: [{ dtype: "bool", shape: ["batch", 1], draw: { integers: [0, 2] } }, f32(["batch", 4]), weight([4])],
  },
  { operator: "Where", about: "scalars", inputs: [{ dtype: "bool", shape: ["batch", 3], draw: { integers: [0, 2] } }, constant(2), constant(-1)] },
  {
    operator: "Where",
    about: "int32",
    inputs: [{ dtype: "bool", shape: ["batch", 3], draw: { integers: [0, 2] } }, int32([3]), int32(["batch", 1])],
  },
  // ONNX's numbers of types: 1 float32, 6 int32, 7 int64, 9 bool.
  {
    operator: "Cast",
    about: "float32 to int32 cuts",
    inputs: [f32(["batch", 4], { values: [1.7, -1.7, 0.4, -0.4] })],
    attributes: { to: 6 },
    gradients: [],
  },
  { operator: "Cast", about: "float32 to bool", inputs: [f32(["batch", 4], { values: [0, 0.2, -3, 0] })], attributes: { to: 9 }, gradients: [] },
  { operator: "Cast", about: "bool to float32", inputs: [{ dtype: "bool", shape: ["batch", 5], draw: { integers: [0, 2] } }], attributes: { to: 1 } },
  { operator: "Cast", about: "int32 to float32", inputs: [int32(["batch", 3])], attributes: { to: 1 } },
  { operator: "Cast", about: "int32 to int64", inputs: [int32(["batch", 3])], attributes: { to: 7 } },
  { operator: "Cast", about: "int64 to float32", inputs: [int64(["batch", 3])], attributes: { to: 1 } },
];

function int32(shape: readonly (number | "batch")[]): NonNullable<OperatorSpec["inputs"][number]> {
  return { dtype: "int32", shape, draw: { integers: [-7, 8] } };
}

function int64(shape: readonly (number | "batch")[]): NonNullable<OperatorSpec["inputs"][number]> {
  return { dtype: "int64", shape, draw: { integers: [-7, 8] } };
}
