import type { Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { checkNumber, checkSize, sizeOf } from "./argument.ts";
import { described, type Layer, type LayerContext, type LayerName } from "./layer.ts";
import { axesLast, axisSecond, featureAxes } from "./move-axis.ts";
import { unitLength } from "./unit-length.ts";
import { weight, type Weight, type WeightArguments } from "./weight.ts";

/** What LayerNormalization and GroupNormalization take in common. */
interface Affine extends LayerName, WeightArguments<"beta">, WeightArguments<"gamma"> {
  /** Added to the variance. Default 0.001. */
  readonly epsilon?: number;
  /** Whether `beta` is added. Default true. */
  readonly center?: boolean;
  /** Whether it is multiplied by `gamma`. Default true. */
  readonly scale?: boolean;
}

/** Arguments of Keras's LayerNormalization. */
export interface LayerNormalizationOptions extends Affine {
  /** Default -1: each place's features; one dimension or several: [1, 2, 3] of images. */
  readonly axis?: number | readonly number[];
}

/**
 * gamma (x - mean) / sqrt(variance + epsilon) + beta, with the mean and variance of each example's (and place's) own features.
 *
 * Parameters `gamma` and `beta`: the sizes of the axes.
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE for axes that the input has not
 * @see https://keras.io/api/layers/normalization_layers/layer_normalization/
 */
export function layerNormalization({ axis = -1, epsilon = 0.001, center = true, scale = true, ...rest }: LayerNormalizationOptions = {}): Layer {
  checkNumber("layerNormalization", "epsilon", epsilon, { from: 0 });
  const beta = weight("layerNormalization", "beta", rest, "zeros");
  const gamma = weight("layerNormalization", "gamma", rest, "ones");
  return {
    ...described("LayerNormalization", rest, { axis, epsilon, center, scale, ...beta.config, ...gamma.config }),
    passesMask: true,
    apply(context, x) {
      const { emit } = context;
      const { axes, sizes } = normalizedAxes(context, x, axis);
      const g = affine(context, { name: "gamma", shape: sizes, weight: scale ? gamma : undefined, otherwise: 1 });
      const b = center ? affine(context, { name: "beta", shape: sizes, weight: beta, otherwise: 0 }) : undefined;
      return axesLast(emit, x, axes, (turned) => emit.op("LayerNormalization", [turned, g, b], { axis: x.shape.length - axes.length, epsilon }));
    },
  };
}

/** Arguments of Keras's RMSNormalization. */
export interface RmsNormalizationOptions extends LayerName {
  /** Default -1; one dimension or several. */
  readonly axis?: number | readonly number[];
  /** Added to the mean square. Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * scale x / sqrt(mean(x^2) + epsilon), over each example's (and place's) own features. Parameter `scale`. Masks end at it, as in Keras.
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE for axes that the input has not
 * @see https://keras.io/api/layers/normalization_layers/rms_normalization/
 */
export function rmsNormalization({ axis = -1, epsilon = 1e-6, ...common }: RmsNormalizationOptions = {}): Layer {
  checkNumber("rmsNormalization", "epsilon", epsilon, { from: 0 });
  return {
    ...described("RMSNormalization", common, { axis, epsilon }),
    apply(context, x) {
      const { emit, parameter } = context;
      const { axes, sizes } = normalizedAxes(context, x, axis);
      const scale = parameter("scale", sizes, { initializer: "ones" });
      return axesLast(emit, x, axes, (turned) => emit.op("RMSNormalization", [turned, scale], { axis: x.shape.length - axes.length, epsilon }));
    },
  };
}

/** Arguments of Keras's GroupNormalization. */
export interface GroupNormalizationOptions extends Affine {
  /** How many groups the channels make; -1: one for each channel. Default 32. */
  readonly groups?: number;
  /** The channels' dimension. Default 1. */
  readonly axis?: number;
}

/**
 * Normalises each example over groups of channels and all places. Parameters `gamma` and `beta` [channels].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the channels do not divide into the groups
 * @see https://keras.io/api/layers/normalization_layers/group_normalization/
 */
export function groupNormalization({
  groups = 32,
  axis = 1,
  epsilon = 0.001,
  center = true,
  scale = true,
  ...rest
}: GroupNormalizationOptions = {}): Layer {
  if (groups !== -1) checkSize("groupNormalization", "groups", groups);
  checkNumber("groupNormalization", "epsilon", epsilon, { from: 0 });
  const beta = weight("groupNormalization", "beta", rest, "zeros");
  const gamma = weight("groupNormalization", "gamma", rest, "ones");
  return {
    ...described("GroupNormalization", rest, { groups, axis, epsilon, center, scale, ...beta.config, ...gamma.config }),
    passesMask: true,
    apply(context, x) {
      const { emit, fail } = context;
      const channels = x.shape.length >= 2 ? sizeOf(x, axis) : undefined;
      if (channels === undefined) return fail(`axis must be one of its dimensions after the batch, not ${axis}`);
      const count = groups === -1 ? channels : groups;
      if (channels % count !== 0) return fail(`${channels} channels do not divide into ${count} groups`);
      const g = affine(context, { name: "gamma", shape: [channels], weight: scale ? gamma : undefined, otherwise: 1 });
      const b = affine(context, { name: "beta", shape: [channels], weight: center ? beta : undefined, otherwise: 0 });
      return axisSecond(emit, x, axis, (turned) => {
        // The operator wants an axis besides the channels.
        if (turned.shape.length > 2) return emit.op("GroupNormalization", [turned, g, b], { num_groups: count, epsilon });
        const wide = emit.op("GroupNormalization", [emit.op("Unsqueeze", [turned, emit.ints([2])]), g, b], { num_groups: count, epsilon });
        return emit.op("Squeeze", [wide, emit.ints([2])]);
      });
    },
  };
}

/**
 * Divides each example by its Euclidean length along the axis.
 *
 * @param options.axis default -1; one dimension or several
 * @throws GRAPH_SHAPE for an axis that the input has not
 * @see https://keras.io/api/layers/normalization_layers/unit_normalization/
 */
export function unitNormalization({ axis = -1, ...common }: { readonly axis?: number | readonly number[] } & LayerName = {}): Layer {
  return {
    ...described("UnitNormalization", common, { axis }),
    passesMask: true,
    apply: ({ emit, fail }, x) => unitLength(emit, x, featureAxes(x, axis, fail)),
  };
}

/** The axes that are normalised over, and their sizes. */
function normalizedAxes(
  { fail }: LayerContext,
  x: Value,
  axis: number | readonly number[],
): { readonly axes: readonly number[]; readonly sizes: readonly number[] } {
  const axes = featureAxes(x, axis, fail);
  return { axes, sizes: axes.map((place) => sizeOf(x, place) ?? fail("only the first dimension may be the batch")) };
}

interface AffinePart {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weight: Weight | undefined;
  /** What stands everywhere when there is no weight. */
  readonly otherwise: number;
}

function affine({ emit, parameter }: LayerContext, { name, shape, weight: given, otherwise }: AffinePart): Value {
  if (given !== undefined) return parameter(name, shape, given.options);
  return emit.constant(tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(otherwise)));
}
