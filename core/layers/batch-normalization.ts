import { tensor } from "../tensor.ts";
import { checkNumber, sizeOf } from "./argument.ts";
import type { Initializer } from "./initializer.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { axisSecond } from "./move-axis.ts";
import { weight, type WeightArguments } from "./weight.ts";

/** Arguments of Keras's BatchNormalization. */
export interface BatchNormalizationOptions extends LayerName, WeightArguments<"beta">, WeightArguments<"gamma"> {
  /** Which dimension is normalised by itself. Default 1: the channels of images, the features of [batch, features]; -1 for [batch, steps, features]. */
  readonly axis?: number;
  /** How much of the running statistics a step keeps. Default 0.99. */
  readonly momentum?: number;
  /** Added to the variance. Default 0.001. */
  readonly epsilon?: number;
  /** Whether `beta` is added. Default true. */
  readonly center?: boolean;
  /** Whether it is multiplied by `gamma`. Default true. */
  readonly scale?: boolean;
  readonly movingMeanInitializer?: Initializer;
  readonly movingVarianceInitializer?: Initializer;
}

/**
 * gamma (x - mean) / sqrt(variance + epsilon) + beta, each channel by itself: with the batch's mean and variance in training, with the running
 * ones in prediction and where the layer is frozen.
 *
 * Parameters `gamma` and `beta` [channels], statistics `moving_mean` and `moving_variance` [channels]. Masked places count like others.
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE for an axis that the input has not
 * @see https://keras.io/api/layers/normalization_layers/batch_normalization/
 */
export function batchNormalization({
  axis = 1,
  momentum = 0.99,
  epsilon = 0.001,
  center = true,
  scale = true,
  movingMeanInitializer = "zeros",
  movingVarianceInitializer = "ones",
  ...rest
}: BatchNormalizationOptions = {}): Layer {
  checkNumber("batchNormalization", "momentum", momentum, { from: 0, to: 1 });
  checkNumber("batchNormalization", "epsilon", epsilon, { from: 0 });
  const beta = weight("batchNormalization", "beta", rest, "zeros");
  const gamma = weight("batchNormalization", "gamma", rest, "ones");
  return {
    ...described("BatchNormalization", rest, {
      axis,
      momentum,
      epsilon,
      center,
      scale,
      ...beta.config,
      ...gamma.config,
      movingMeanInitializer,
      movingVarianceInitializer,
    }),
    apply({ emit, parameter, statistic, maskOf, setMask, fail }, x) {
      const channels = sizeOf(x, axis);
      if (channels === undefined || x.shape.length < 2) return fail(`axis must be one of its dimensions after the batch, not ${axis}`);
      const all = (value: number): ReturnType<typeof emit.constant> =>
        emit.constant(tensor("float32", [channels], new Float32Array(channels).fill(value)));
      const weights = [
        scale ? parameter("gamma", [channels], gamma.options) : all(1),
        center ? parameter("beta", [channels], beta.options) : all(0),
        statistic("moving_mean", [channels], { initializer: movingMeanInitializer }),
        statistic("moving_variance", [channels], { initializer: movingVarianceInitializer }),
      ];
      const y = axisSecond(emit, x, axis, (turned) => emit.op("BatchNormalization", [turned, ...weights], { epsilon, momentum }));
      const mask = maskOf(x);
      if (mask) setMask(y, mask);
      return y;
    },
  };
}
