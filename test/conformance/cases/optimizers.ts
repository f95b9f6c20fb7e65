import { f32, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const positive = (shape: readonly number[]): InputSpec => f32(shape, { uniform: [0.01, 2] });

/** Optimizers by themselves: two parameters of different shapes in one node. */
export const optimizerSpecs: readonly OperatorSpec[] = [
  adam("step 1", { step: 1 }),
  adam("step 1000", { step: 1000 }),
  adam("step 0 corrects nothing", { step: 0 }),
  adam("weight decay of both kinds, other rates", {
    step: 7,
    attributes: { alpha: 0.8, beta: 0.99, epsilon: 1e-3, norm_coefficient: 0.05, norm_coefficient_post: 0.01 },
  }),
  momentum("standard", { step: 3, attributes: { mode: "standard", alpha: 0.9, beta: 1, norm_coefficient: 0 } }),
  momentum("nesterov, decay, damped", { step: 3, attributes: { mode: "nesterov", alpha: 0.8, beta: 0.7, norm_coefficient: 0.05 } }),
  momentum("the first step is not damped", { step: 0, attributes: { mode: "standard", alpha: 0.9, beta: 0.5, norm_coefficient: 0 } }),
];

interface Options {
  readonly step: number;
  readonly attributes?: NonNullable<OperatorSpec["attributes"]>;
}

function adam(about: string, { step, attributes = {} }: Options): OperatorSpec {
  const slots = [f32([4, 3]), f32([5]), positive([4, 3]), positive([5])];
  return {
    operator: "Adam",
    about,
    inputs: [...head(step), f32([4, 3]), f32([5]), f32([4, 3]), f32([5]), ...slots],
    outputs: 6,
    attributes,
    gradients: [],
  };
}

function momentum(about: string, { step, attributes = {} }: Options): OperatorSpec {
  const inputs = [...head(step), f32([4, 3]), f32([5]), f32([4, 3]), f32([5]), f32([4, 3]), f32([5])];
  return { operator: "Momentum", about, inputs, outputs: 4, attributes, gradients: [] };
}

function head(step: number): readonly InputSpec[] {
  return [f32([], { values: [0.01] }), { dtype: "int64", shape: [], draw: { values: [step] } }];
}
