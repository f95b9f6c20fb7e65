import { dense, Network, type Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import { headUnits } from "./head.ts";
import type { Model } from "./model.ts";
import { checkForecaster, type ForecasterOptions } from "./forecaster.ts";

/** What a temporal convolutional network is made of. */
export interface TemporalConvolutionOptions extends ForecasterOptions {
  readonly filters?: number;
  readonly kernelSize?: number;
  /** Blocks; each looks twice as far back. Default: until the whole window is seen. */
  readonly blocks?: number;
}

/**
 * TCN: residual blocks of dilated convolutions that never look ahead: `window` [batch, window, features] -> `prediction` [batch, horizon].
 *
 * @throws ARGUMENT_INVALID
 * @see S. Bai et al., An empirical evaluation of generic convolutional and recurrent networks for sequence modeling (2018), https://arxiv.org/abs/1803.01271
 */
export function temporalConvolution({
  input = "window",
  window,
  features,
  horizon,
  filters = 32,
  kernelSize = 3,
  blocks = blocksFor(window, kernelSize),
  seed = 0,
}: TemporalConvolutionOptions): Model {
  checkForecaster("temporalConvolution", { window, features, horizon });
  const { output } = headUnits({ task: "regression", units: horizon });
  const network = new Network("temporal-convolution", { seed });
  let x = network.apply(channelsFirst({ name: "channels" }), network.input(input, [window, features]));
  for (let i = 0; i < blocks; i += 1) x = network.apply(causalBlock({ filters, kernelSize, dilation: 2 ** i, name: `block${i + 1}` }), x);
  network.output(output, network.apply(dense({ units: horizon, name: "head" }), network.apply(lastStep({ name: "last" }), x)));
  return network.build({ name: "temporal-convolution", window, features, horizon, filters, kernelSize, blocks, seed });
}

/** Two convolutions a block: after n blocks 1 + 2 (k - 1) (2^n - 1) steps are seen. */
function blocksFor(window: number, kernelSize: number): number {
  const reach = (n: number): number => 1 + 2 * (kernelSize - 1) * (2 ** n - 1);
  let blocks = 1;
  while (reach(blocks) < window && blocks < 12) blocks += 1;
  return blocks;
}

interface CausalBlockOptions extends LayerName {
  readonly filters: number;
  readonly kernelSize: number;
  readonly dilation: number;
}

/** Rectified sum of the input and two causal convolutions of it: [batch, channels, time] -> [batch, filters, time]. */
function causalBlock({ filters, kernelSize, dilation, ...common }: CausalBlockOptions): Layer {
  return {
    kind: "CausalBlock",
    ...named(common),
    config: { filters, kernelSize, dilation },
    apply({ emit, parameter }, x) {
      const convolve = (name: string, value: typeof x): typeof x => {
        const channels = Number(value.shape[1]);
        const kernel = parameter(`${name}_kernel`, [filters, channels, kernelSize], {
          initializer: "heNormal",
          fanIn: channels * kernelSize,
          fanOut: filters * kernelSize,
        });
        const bias = parameter(`${name}_bias`, [filters], { initializer: "zeros" });
        return emit.op("Conv", [value, kernel, bias], { dilations: [dilation], pads: [dilation * (kernelSize - 1), 0] });
      };
      const channels = Number(x.shape[1]);
      const inner = emit.op("Relu", [convolve("second", emit.op("Relu", [convolve("first", x)]))]);
      const shortcut =
        channels === filters
          ? x
          : emit.op("Conv", [x, parameter("shortcut_kernel", [filters, channels, 1], { initializer: "heNormal", fanIn: channels, fanOut: filters })]);
      return emit.op("Relu", [emit.op("Add", [inner, shortcut])]);
    },
  };
}

/** [batch, time, channels] -> [batch, channels, time]. */
function channelsFirst(common: LayerName): Layer {
  return { kind: "ChannelsFirst", ...named(common), config: {}, apply: ({ emit }, x) => emit.op("Transpose", [x], { perm: [0, 2, 1] }) };
}

/** The last time step: [batch, channels, time] -> [batch, channels]. */
function lastStep(common: LayerName): Layer {
  return {
    kind: "LastStep",
    ...named(common),
    config: {},
    apply({ emit }, x) {
      const time = Number(x.shape[2]);
      const last = emit.op("Slice", [x, emit.ints([time - 1]), emit.ints([time]), emit.ints([2])]);
      return emit.op("Squeeze", [last, emit.ints([2])]);
    },
  };
}
