import { asNumber } from "./gradients.ts";
import type { Attributes, AttributeSpec, LowerContext, Operator, TrainingContext, Value } from "./operator.ts";
import { times } from "./optimizer-node.ts";
import { axisOf, floatTypes, typed } from "./shapes.ts";

// Noise that only training has: when predicting, each of these passes its input on. Dropout, which ONNX has, is in dropout.ts.

/** The input plus normal noise of a standard deviation. @see https://keras.io/api/layers/regularization_layers/gaussian_noise/ */
export const gaussianNoise: Operator = noise("GaussianNoise", {
  attribute: "stddev",
  most: Infinity,
  training({ emit, random }, x, stddev) {
    return emit.op("Add", [x, times(emit, random({ distribution: "normal" }, x.dtype, x.shape), stddev)]);
  },
});

/**
 * The input times normal noise around 1, of variance rate / (1 - rate): dropout's mean and variance.
 *
 * @see N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting (2014), 10
 */
export const gaussianDropout: Operator = noise("GaussianDropout", {
  training({ emit, random }, x, rate) {
    const change = times(emit, random({ distribution: "normal" }, x.dtype, x.shape), Math.sqrt(rate / (1 - rate)));
    return emit.op("Mul", [x, emit.op("Add", [change, emit.scalar(1, x.dtype)])]);
  },
});

/**
 * Dropout of whole channels: one mask for each row and each place of `axis`, 1 (channels first) by default.
 *
 * @see J. Tompson et al., Efficient object localization using convolutional networks (2015), 3.2
 */
export const spatialDropout: Operator = noise("SpatialDropout", {
  attributes: { axis: { kind: "int", default: 1 } },
  training(context, x, rate) {
    const axis = context.attributes.int("axis");
    const channels = axis < 0 ? axis + x.shape.length : axis;
    return keptInPlaces(context, x, { rate, isKept: (place) => place === 0 || place === channels });
  },
});

/**
 * Dropout of whole rows: what a block of a network adds is left out for some of the batch (stochastic depth).
 *
 * @see G. Huang et al., Deep networks with stochastic depth (2016)
 */
export const dropPath: Operator = noise("DropPath", {
  training: (context, x, rate) => keptInPlaces(context, x, { rate, isKept: (place) => place === 0 }),
});

/**
 * Dropout to SELU's lower bound instead of 0, moved and scaled so that mean 0 and variance 1 stay.
 *
 * @see G. Klambauer et al., Self-normalizing neural networks (2017), 3
 */
export const alphaDropout: Operator = noise("AlphaDropout", {
  training({ emit, random }, x, rate) {
    const bound = -1.758_099_340_847_376_6; // -scale * alpha of SELU
    const mask = random({ distribution: "bernoulli", probability: 1 - rate }, "bool", x.shape);
    const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * bound ** 2));
    const dropped = emit.op("Where", [mask, x, emit.scalar(bound, x.dtype)]);
    return emit.op("Add", [times(emit, dropped, scale), emit.scalar(-scale * bound * rate, x.dtype)]);
  },
});

interface NoiseRule {
  /** How strong it is; default `rate`, from 0 to below 1. At 0 the training form passes the input on as well. */
  readonly attribute?: string;
  /** What that must stay below; default 1. */
  readonly most?: number;
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  readonly training: (context: TrainingContext, x: Value, strength: number) => Value;
}

function noise(name: string, { attribute = "rate", most = 1, attributes = {}, training }: NoiseRule): Operator {
  const same = ({ emit, input }: LowerContext): readonly Value[] => [emit.op("Identity", [input(0)])];
  const strengthOf = (given: Attributes): number => given.float(attribute);
  return {
    name,
    domain: "espalier",
    inputs: [1, 1],
    outputs: [1, 1],
    isDistinct: true,
    attributes: { [attribute]: { kind: "float", required: true }, ...attributes },
    infer(context) {
      const x = typed(context, 0, floatTypes);
      const strength = strengthOf(context.attributes);
      if (!(strength >= 0 && strength < most)) context.fail(`${attribute} must be from 0 to below ${most}, not ${strength}`);
      if (context.attributes.has("axis")) axisOf(context, context.attributes.int("axis"), x.shape.length);
      return [x];
    },
    lower: same,
    training: (context) =>
      strengthOf(context.attributes) === 0 ? same(context) : [training(context, context.input(0), strengthOf(context.attributes))],
  };
}

/** x times a mask over some axes, one over the share that is kept. */
function keptInPlaces(
  { emit, random }: TrainingContext,
  x: Value,
  { rate, isKept }: { readonly rate: number; readonly isKept: (axis: number) => boolean },
): Value {
  const shape = x.shape.map((size, axis) => (isKept(axis) ? size : 1));
  const mask = random({ distribution: "bernoulli", probability: 1 - rate }, "bool", shape);
  return emit.op("Mul", [x, times(emit, asNumber(emit, mask, x), 1 / (1 - rate))]);
}
