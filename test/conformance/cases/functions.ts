import { constant, f32, weight, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const int32 = (shape: InputSpec["shape"], values?: readonly number[]): InputSpec => ({
  dtype: "int32",
  shape,
  draw: values ? { values } : { integers: [-9, 10] },
});
const bool = (shape: InputSpec["shape"]): InputSpec => ({ dtype: "bool", shape, draw: { integers: [0, 2] } });

/** Angles, hyperbolas, rounding and tests of floats. */
export const functionSpecs: readonly OperatorSpec[] = [
  ...(["Sin", "Cos", "Atan", "Sinh", "Cosh", "Asinh"] as const).map((operator): OperatorSpec => ({
    operator,
    about: "[batch, 3, 5]",
    inputs: [f32(["batch", 3, 5], { uniform: [-4, 4] })],
  })),
  { operator: "Sin", about: "large angles", inputs: [f32(["batch", 6], { uniform: [-300, 300] })] },
  { operator: "Cos", about: "large angles", inputs: [f32(["batch", 6], { uniform: [-300, 300] })] },
  { operator: "Tan", about: "within a right angle", inputs: [f32(["batch", 6], { uniform: [-1.3, 1.3] })] },
  { operator: "Asin", about: "within 1", inputs: [f32(["batch", 6], { uniform: [-0.95, 0.95] })] },
  { operator: "Asin", about: "both ends", inputs: [f32(["batch", 3], { values: [-1, 0, 1] })], gradients: [] },
  { operator: "Acos", about: "within 1", inputs: [f32(["batch", 6], { uniform: [-0.95, 0.95] })] },
  { operator: "Acosh", about: "above 1", inputs: [f32(["batch", 6], { uniform: [1.1, 6] })] },
  { operator: "Atanh", about: "within 1", inputs: [f32(["batch", 6], { uniform: [-0.95, 0.95] })] },
  ...(["Floor", "Ceil", "Round"] as const).map((operator): OperatorSpec => ({
    operator,
    about: "halves, whole numbers and others",
    inputs: [f32(["batch", 12], { values: [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3, -3, 0.49999997, -7.3, 7.8, 8388609] })],
    gradients: [],
  })),
  { operator: "Floor", about: "its gradient is 0", inputs: [f32(["batch", 3], "distinct")] },
  { operator: "IsNaN", about: "among others", inputs: [f32(["batch", 5], { values: [0, Number.NaN, Infinity, -1, -Infinity] })], gradients: [] },
  ...[
    { about: "either sign", attributes: {} },
    { about: "positive", attributes: { detect_negative: 0 } },
    { about: "negative", attributes: { detect_positive: 0 } },
    { about: "none", attributes: { detect_negative: 0, detect_positive: 0 } },
  ].map(({ about, attributes }): OperatorSpec => ({
    operator: "IsInf",
    about,
    inputs: [f32(["batch", 5], { values: [0, Number.NaN, Infinity, -1, -Infinity] })],
    attributes,
    gradients: [],
  })),
];

/** Activations beyond those of the first files. */
export const activationSpecs: readonly OperatorSpec[] = [
  ...(["HardSigmoid", "HardSwish", "Selu", "Celu", "Mish", "Softsign", "ThresholdedRelu", "Shrink"] as const).map((operator): OperatorSpec => ({
    operator,
    about: "[batch, 3, 17]",
    inputs: [f32(["batch", 3, 17], "distinct")],
  })),
  { operator: "HardSigmoid", about: "alpha 0.3, beta 0.4", inputs: [f32(["batch", 33], "distinct")], attributes: { alpha: 0.3, beta: 0.4 } },
  { operator: "Celu", about: "alpha 2", inputs: [f32(["batch", 7], "distinct")], attributes: { alpha: 2 } },
  { operator: "Selu", about: "alpha 1.2, gamma 0.7", inputs: [f32(["batch", 7], "distinct")], attributes: { alpha: 1.2, gamma: 0.7 } },
  { operator: "ThresholdedRelu", about: "alpha 0.2", inputs: [f32(["batch", 8], "distinct")], attributes: { alpha: 0.18 } },
  { operator: "Shrink", about: "bias and edge", inputs: [f32(["batch", 12], "distinct")], attributes: { bias: 0.3, lambd: 0.23 } },
  { operator: "Mish", about: "large numbers", inputs: [f32(["batch", 4], { values: [-60, -20, 20, 60] })] },
  { operator: "PRelu", about: "a slope for each channel", inputs: [f32(["batch", 3, 4, 5], "distinct"), weight([3, 1, 1])] },
  { operator: "PRelu", about: "one slope", inputs: [f32(["batch", 7], "distinct"), weight([1])] },
  { operator: "Hardmax", about: "the last axis", inputs: [f32(["batch", 7], "distinct")], gradients: [] },
  { operator: "Hardmax", about: "axis 1 of 3, ties", inputs: [f32(["batch", 5, 3], "ties")], attributes: { axis: 1 }, gradients: [] },
];

/** Sums and means of several values, remainders, exclusive or. */
export const severalSpecs: readonly OperatorSpec[] = [
  ...(["Sum", "Mean"] as const).flatMap((operator): readonly OperatorSpec[] => [
    { operator, about: "three, broadcast", inputs: [f32(["batch", 5]), weight([5]), constant(0.5)] },
    { operator, about: "two", inputs: [f32(["batch", 1, 3]), f32(["batch", 4, 1])] },
    { operator, about: "one", inputs: [f32(["batch", 3])] },
  ]),
  {
    operator: "Mod",
    about: "the sign of the divisor",
    inputs: [int32(["batch", 8], [7, -7, 7, -7, 6, -6, 0, 5]), int32([8], [3, 3, -3, -3, 3, 3, 5, -7])],
  },
  {
    operator: "Mod",
    about: "the sign of the dividend",
    inputs: [int32(["batch", 8], [7, -7, 7, -7, 6, -6, 0, 5]), int32([8], [3, 3, -3, -3, 3, 3, 5, -7])],
    attributes: { fmod: 1 },
  },
  {
    operator: "Mod",
    about: "int64, broadcast",
    inputs: [
      { dtype: "int64", shape: ["batch", 4], draw: { integers: [-9, 10] } },
      { dtype: "int64", shape: [1], draw: { values: [4] } },
    ],
  },
  {
    operator: "Mod",
    about: "floats",
    inputs: [f32(["batch", 6], { values: [5.3, -5.3, 5.3, -5.3, 0.2, 7.1] }), f32([6], { values: [2.1, 2.1, -2.1, -2.1, 0.9, 0.6] })],
    attributes: { fmod: 1 },
  },
  { operator: "Xor", about: "broadcast", inputs: [bool(["batch", 1, 4]), { dtype: "bool", shape: [3, 1], draw: { values: [0, 1, 0] } }] },
];
