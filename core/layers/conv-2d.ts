import { EspalierError } from "../errors.ts";
import { activate, checkActivation, type ActivationName } from "./activation.ts";
import { checkPair, checkSize, type Pair } from "./argument.ts";
import type { Initializer } from "./initializer.ts";
import { named, type Layer, type LayerName } from "./layer.ts";
import { imageSizes, windowPads, type Padding } from "./window.ts";

/** Arguments of Keras's Conv2D; images are channels-first. */
export interface Conv2DOptions extends LayerName {
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides?: Pair;
  readonly padding?: Padding;
  readonly dilationRate?: Pair;
  /** Channels and filters are cut into this many independent groups. */
  readonly groups?: number;
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
  readonly kernelInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
}

/**
 * Convolution over images: [batch, channels, height, width] -> [batch, filters, height', width'].
 *
 * Parameters `kernel` [filters, channels / groups, ...kernelSize] and `bias` [filters].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no image, or channels do not divide into the groups
 * @see https://keras.io/api/layers/convolution_layers/convolution2d/
 */
export function conv2D({
  filters,
  kernelSize,
  strides = 1,
  padding = "valid",
  dilationRate = 1,
  groups = 1,
  activation = "linear",
  useBias = true,
  kernelInitializer = "glorotUniform",
  biasInitializer = "zeros",
  ...common
}: Conv2DOptions): Layer {
  checkSize("conv2D", "filters", filters);
  checkSize("conv2D", "groups", groups);
  checkActivation("conv2D", activation);
  if (filters % groups !== 0) {
    throw new EspalierError("ARGUMENT_INVALID", `conv2D: ${filters} filters do not divide into ${groups} groups`, { filters, groups });
  }
  const window = {
    size: checkPair("conv2D", "kernelSize", kernelSize),
    strides: checkPair("conv2D", "strides", strides),
    dilations: checkPair("conv2D", "dilationRate", dilationRate),
    padding,
  };
  return {
    kind: "Conv2D",
    ...named(common),
    config: {
      filters,
      kernelSize: window.size,
      strides: window.strides,
      padding,
      dilationRate: window.dilations,
      groups,
      activation,
      useBias,
      kernelInitializer,
      biasInitializer,
    },
    apply({ emit, parameter, fail }, x) {
      const [channels, height, width] = imageSizes(x, fail);
      if (channels % groups !== 0) return fail(`${channels} channels do not divide into ${groups} groups`);
      const area = window.size[0] * window.size[1];
      const kernel = parameter("kernel", [filters, channels / groups, ...window.size], {
        initializer: kernelInitializer,
        fanIn: (channels / groups) * area,
        fanOut: filters * area,
      });
      const bias = useBias ? parameter("bias", [filters], { initializer: biasInitializer }) : undefined;
      const convolved = emit.op("Conv", [x, kernel, bias], {
        kernel_shape: window.size,
        strides: window.strides,
        dilations: window.dilations,
        pads: windowPads([height, width], window, fail),
        group: groups,
      });
      return activate(emit, activation, convolved);
    },
  };
}
