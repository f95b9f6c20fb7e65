import { f32, weight, type OperatorSpec } from "../operator-spec.ts";

/** Normalizations. Scales and variances are positive; sums in float32 over few elements. */
export const normalizationSpecs: readonly OperatorSpec[] = [
  batch("[batch, 3, 4, 5]", { x: [3, 4, 5] }),
  batch("[batch, 7], another epsilon", { x: [7], attributes: { epsilon: 0.1 } }),
  batch("one channel on one axis", { x: [1, 6] }),
  batch("three axes", { x: [2, 2, 3, 2] }),
  batch("in training", { x: [3, 4, 5], attributes: { training_mode: 1 }, outputs: 3 }),
  batch("in training, other momentum and epsilon", { x: [2, 9], attributes: { training_mode: 1, momentum: 0.25, epsilon: 0.01 }, outputs: 3 }),
  batch("in training, Y alone", { x: [4, 3, 2], attributes: { training_mode: 1 } }),
  batch("in training, a mean of 1000 times the deviation", {
    x: [2, 6, 5],
    draw: { uniform: [999, 1001] },
    attributes: { training_mode: 1, epsilon: 0.001 },
    outputs: 3,
    tolerance: 1e-3, // float32 has 3 digits left of the deviation
  }),
  {
    operator: "BatchNormalizationGrad",
    about: "[batch, 3, 2, 4]",
    inputs: [f32(["batch", 3, 2, 4]), f32(["batch", 3, 2, 4]), weight([3]), weight([3]), weight([3], { uniform: [0.5, 2] })],
    outputs: 3,
  },
];

interface BatchShapes {
  /** Without the batch. */
  readonly x: readonly number[];
  readonly attributes?: NonNullable<OperatorSpec["attributes"]>;
  readonly outputs?: number;
  readonly draw?: { readonly uniform: readonly [number, number] };
  readonly tolerance?: number;
}

function batch(about: string, { x, attributes = {}, outputs = 1, draw, tolerance }: BatchShapes): OperatorSpec {
  const channels = x.slice(0, 1);
  const positive = weight(channels, { uniform: [0.5, 2] });
  const inputs = [f32(["batch", ...x], draw), positive, weight(channels), weight(channels), positive];
  return { operator: "BatchNormalization", about, inputs, attributes, outputs, ...(tolerance !== undefined && { tolerance }) };
}
