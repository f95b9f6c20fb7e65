import { f32, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const positive = (shape: readonly number[]): InputSpec => f32(shape, { uniform: [0.01, 2] });

/** What a slot holds. */
type Slot = (shape: readonly number[]) => InputSpec;

const any: Slot = (shape) => f32(shape, { uniform: [-1, 1] });
const squares: Slot = positive;
const largeSquares: Slot = (shape) => f32(shape, { uniform: [1.1, 3] }); // above the square of any mean, as a mean of squares is

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
  elementwise("AdamW", "step 1", { step: 1, slots: [any, squares] }),
  elementwise("AdamW", "decoupled decay", { step: 7, slots: [any, squares], attributes: { alpha: 0.8, beta: 0.99, weight_decay: 0.1 } }),
  elementwise("AdamW", "amsgrad, decay in the gradient", {
    step: 30,
    slots: [any, squares, squares],
    attributes: { amsgrad: 1, norm_coefficient: 0.05, epsilon: 1e-3 },
  }),
  elementwise("Adamax", "step 1", { step: 1, slots: [any, squares] }),
  elementwise("Adamax", "decay", { step: 12, slots: [any, squares], attributes: { alpha: 0.8, beta: 0.9, norm_coefficient: 0.05 } }),
  elementwise("Nadam", "step 1", { step: 1, slots: [any, squares] }),
  elementwise("Nadam", "step 40, decay, momentum that grows fast", {
    step: 40,
    slots: [any, squares],
    attributes: { norm_coefficient: 0.05, momentum_decay: 1 },
  }),
  elementwise("Nadam", "beyond the table of products", { step: 100_000, slots: [any, squares] }),
  elementwise("Adagrad", "defaults", { step: 1, slots: [squares] }),
  elementwise("Adagrad", "decay of both kinds", { step: 9, slots: [squares], attributes: { decay_factor: 0.1, norm_coefficient: 0.05 } }),
  elementwise("RMSprop", "plain", { step: 3, slots: [squares] }),
  elementwise("RMSprop", "centred", { step: 3, slots: [largeSquares, any], attributes: { centered: 1, rho: 0.95 } }),
  elementwise("RMSprop", "momentum, decay", { step: 3, slots: [squares, any], attributes: { momentum: 0.9, norm_coefficient: 0.05 } }),
  elementwise("RMSprop", "centred with momentum", { step: 3, slots: [largeSquares, any, any], attributes: { centered: 1, momentum: 0.5 } }),
  elementwise("Adadelta", "defaults", { step: 3, slots: [squares, squares] }),
  elementwise("Adadelta", "decay", { step: 3, slots: [squares, squares], attributes: { rho: 0.9, epsilon: 1e-3, norm_coefficient: 0.05 } }),
  elementwise("Lion", "defaults", { step: 3, slots: [any] }),
  elementwise("Lion", "decay", { step: 3, slots: [any], attributes: { alpha: 0.8, beta: 0.95, weight_decay: 0.3 } }),
  elementwise("Ftrl", "defaults", { step: 3, slots: [squares, any] }),
  elementwise("Ftrl", "all penalties", {
    step: 3,
    slots: [squares, any],
    attributes: { l1: 0.3, l2: 0.2, l2_shrinkage: 0.1, beta: 0.5, initial: 0.2 },
  }),
  elementwise("MovingAverage", "takes the value over at the start", { step: 1, slots: [] }),
  elementwise("MovingAverage", "later", { step: 2, slots: [], attributes: { start: 1 } }),
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

interface ElementwiseOptions extends Options {
  readonly slots: readonly Slot[];
}

function elementwise(operator: string, about: string, { step, slots, attributes = {} }: ElementwiseOptions): OperatorSpec {
  const lists = [f32, f32, ...slots].flatMap((slot) => [slot([4, 3]), slot([5])]);
  return { operator, about, inputs: [...head(step), ...lists], outputs: 2 * (slots.length + 1), attributes, gradients: [] };
}

function head(step: number): readonly InputSpec[] {
  return [f32([], { values: [0.01] }), { dtype: "int64", shape: [], draw: { values: [step] } }];
}
