import { checkNumber, sizeOf } from "./argument.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { weight, type WeightArguments } from "./weight.ts";

/** Arguments of Keras's ReLU. */
export interface ReLUOptions extends LayerName {
  /** Where it stops rising; default nowhere. */
  readonly maxValue?: number | undefined;
  /** The slope below the threshold; default 0. */
  readonly negativeSlope?: number;
  /** Where it begins; default 0. */
  readonly threshold?: number;
}

/**
 * x from `threshold` on, cut at `maxValue`; `negativeSlope` (x - threshold) below.
 *
 * @throws ARGUMENT_INVALID for a negative number
 * @see https://keras.io/api/layers/activation_layers/relu/
 */
export function reLU({ maxValue, negativeSlope = 0, threshold = 0, ...common }: ReLUOptions = {}): Layer {
  if (maxValue !== undefined) checkNumber("reLU", "maxValue", maxValue, { from: 0 });
  checkNumber("reLU", "negativeSlope", negativeSlope, { from: 0 });
  checkNumber("reLU", "threshold", threshold, { from: 0 });
  return {
    ...described("ReLU", common, { ...(maxValue !== undefined && { maxValue }), negativeSlope, threshold }),
    passesMask: true,
    placewise: true,
    apply({ emit }, x) {
      const number = (value: number): ReturnType<typeof emit.scalar> => emit.scalar(value, x.dtype);
      if (threshold === 0) {
        if (negativeSlope > 0) {
          const leaky = emit.op("LeakyRelu", [x], { alpha: negativeSlope });
          return maxValue === undefined ? leaky : emit.op("Min", [leaky, number(maxValue)]);
        }
        return maxValue === undefined ? emit.op("Relu", [x]) : emit.op("Clip", [x, number(0), number(maxValue)]);
      }
      const above = maxValue === undefined ? x : emit.op("Min", [x, number(maxValue)]);
      const below = negativeSlope === 0 ? number(0) : emit.op("Mul", [emit.op("Sub", [x, number(threshold)]), number(negativeSlope)]);
      return emit.op("Where", [emit.op("GreaterOrEqual", [x, number(threshold)]), above, below]);
    },
  };
}

/** x, or `negativeSlope` x where negative. Default 0.3. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/activation_layers/leaky_relu/ */
export function leakyReLU({ negativeSlope = 0.3, ...common }: { readonly negativeSlope?: number } & LayerName = {}): Layer {
  checkNumber("leakyReLU", "negativeSlope", negativeSlope, { from: 0 });
  return {
    ...described("LeakyReLU", common, { negativeSlope }),
    passesMask: true,
    placewise: true,
    apply: ({ emit }, x) => emit.op("LeakyRelu", [x], { alpha: negativeSlope }),
  };
}

/** x, or `alpha` (e^x - 1) where negative. Default 1. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/activation_layers/elu/ */
export function elu({ alpha = 1, ...common }: { readonly alpha?: number } & LayerName = {}): Layer {
  checkNumber("elu", "alpha", alpha);
  return {
    ...described("ELU", common, { alpha }),
    passesMask: true,
    placewise: true,
    apply: ({ emit }, x) => emit.op("Elu", [x], { alpha }),
  };
}

/** Arguments of Keras's PReLU. */
export interface PReLUOptions extends LayerName, WeightArguments<"alpha"> {
  /** Dimensions, from 1 behind the batch, along which one slope is shared: [2, 3] of images. Default none. */
  readonly sharedAxes?: readonly number[] | undefined;
}

/**
 * x, or alpha x where negative, with a learned slope for each place.
 *
 * Parameter `alpha`: one row's shape, with 1 along the shared axes.
 *
 * @throws GRAPH_SHAPE for a shared axis that the input has not
 * @see https://keras.io/api/layers/activation_layers/prelu/
 */
export function prelu({ sharedAxes, ...rest }: PReLUOptions = {}): Layer {
  const slope = weight("prelu", "alpha", rest, "zeros");
  return {
    ...described("PReLU", rest, { ...slope.config, ...(sharedAxes && { sharedAxes }) }),
    passesMask: true,
    apply({ emit, parameter, fail }, x) {
      const outside = sharedAxes?.find((axis) => !Number.isInteger(axis) || axis < 1 || axis >= x.shape.length);
      if (outside !== undefined) return fail(`sharedAxes must be from 1 to ${x.shape.length - 1}, not ${outside}`);
      const shape = x.shape
        .slice(1)
        .map((_, i) => (sharedAxes?.includes(i + 1) ? 1 : (sizeOf(x, i + 1) ?? fail("only the first dimension may be the batch"))));
      return emit.op("PRelu", [x, parameter("alpha", shape, slope.options)]);
    },
  };
}
