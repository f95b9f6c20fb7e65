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
  { operator: "BatchMoments", about: "[batch, 3, 4, 5]", inputs: [f32(["batch", 3, 4, 5])], outputs: 2 },
  { operator: "BatchMoments", about: "[batch, 7]", inputs: [f32(["batch", 7])], outputs: 2 },
  {
    operator: "BatchNormalizationGrad",
    about: "[batch, 3, 2, 4]",
    inputs: [f32(["batch", 3, 2, 4]), f32(["batch", 3, 2, 4]), weight([3]), weight([3]), weight([3], { uniform: [0.5, 2] })],
    outputs: 3,
  },
  layer("the last axis", { x: [2, 7], scale: [7], bias: [7], outputs: 3 }),
  layer("Y alone, without a bias", { x: [6], scale: [6], attributes: { epsilon: 0.01 } }),
  layer("Y and Mean", { x: [3, 2], scale: [2], bias: [2], outputs: 2 }),
  layer("the last two axes", { x: [2, 3, 4], scale: [3, 4], bias: [3, 4], attributes: { axis: 2 }, outputs: 3 }),
  layer("a scale and a bias that are broadcast", { x: [2, 3, 4], scale: [4], bias: [3, 1], attributes: { axis: -2 }, outputs: 3 }),
  { operator: "LayerNormalization", about: "no rows", inputs: [f32([0, 4]), weight([4]), weight([4])] },
  { operator: "BatchNormalization", about: "no rows", inputs: [f32([0, 2, 3]), ...[1, 2, 3, 4].map(() => weight([2], { uniform: [0.5, 2] }))] },
  layer("a large mean", { x: [8], scale: [8], bias: [8], draw: { uniform: [499, 501] }, outputs: 3, tolerance: 1e-3 }),
  {
    operator: "LayerNormalizationGrad",
    about: "[batch, 3, 4]",
    inputs: [f32(["batch", 3, 4]), f32(["batch", 3, 4]), weight([4]), f32(["batch", 3, 1]), f32(["batch", 3, 1], { uniform: [0.5, 2] })],
    outputs: 2,
  },
  { operator: "RMSNormalization", about: "the last axis", inputs: [f32(["batch", 2, 7]), weight([7])] },
  {
    operator: "RMSNormalization",
    about: "the last two axes, another epsilon",
    inputs: [f32(["batch", 3, 4]), weight([4])],
    attributes: { axis: 1, epsilon: 0.1 },
  },
  ...[1, 2, 6].map((num_groups): OperatorSpec => {
    const inputs = [f32(["batch", 6, 3, 2]), weight([6]), weight([6])];
    return { operator: "GroupNormalization", about: `6 channels in ${num_groups}`, inputs, attributes: { num_groups } };
  }),
  { operator: "GroupNormalization", about: "no spatial axis", inputs: [f32(["batch", 8]), weight([8]), weight([8])], attributes: { num_groups: 2 } },
  { operator: "InstanceNormalization", about: "two axes", inputs: [f32(["batch", 3, 4, 5]), weight([3]), weight([3])] },
  {
    operator: "InstanceNormalization",
    about: "one axis, another epsilon",
    inputs: [f32(["batch", 2, 7]), weight([2]), weight([2])],
    attributes: { epsilon: 0.1 },
  },
  { operator: "InstanceNormalization", about: "three axes", inputs: [f32(["batch", 2, 2, 3, 2]), weight([2]), weight([2])] },
  { operator: "MeanVarianceNormalization", about: "by channel", inputs: [f32(["batch", 3, 2, 5])] },
  { operator: "MeanVarianceNormalization", about: "the last axis", inputs: [f32(["batch", 7])], attributes: { axes: [-1] } },
  { operator: "MeanVarianceNormalization", about: "all elements equal", inputs: [f32(["batch", 1, 3])], attributes: { axes: [1] } },
  { operator: "LRN", about: "one spatial axis", inputs: [f32(["batch", 5, 3])], attributes: { size: 3, alpha: 0.5 } },
  { operator: "LRN", about: "3 channels of 5", inputs: [f32(["batch", 5, 2, 3])], attributes: { size: 3, alpha: 0.5, beta: 0.6, bias: 2 } },
  { operator: "LRN", about: "an even size, more channels than there are", inputs: [f32(["batch", 3, 4])], attributes: { size: 8, alpha: 0.1 } },
];

interface LayerShapes extends BatchShapes {
  readonly scale: readonly number[];
  readonly bias?: readonly number[];
}

function layer(about: string, { x, scale, bias, attributes = {}, outputs = 1, draw, tolerance }: LayerShapes): OperatorSpec {
  const inputs = [f32(["batch", ...x], draw), weight(scale), ...(bias ? [weight(bias)] : [])];
  return { operator: "LayerNormalization", about, inputs, attributes, outputs, ...(tolerance !== undefined && { tolerance }) };
}

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
