import { activate, checkActivation, type ActivationName } from "./activation.ts";
import { checkSize, featureSizes } from "./argument.ts";
import type { Initializer } from "./initializer.ts";
import { named, type Layer, type LayerName } from "./layer.ts";

/** Arguments of Keras's Dense. */
export interface DenseOptions extends LayerName {
  readonly units: number;
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
  readonly kernelInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
}

/**
 * Fully connected: activation(x kernel + bias), [batch, inputs] -> [batch, units].
 *
 * Parameters `kernel` [inputs, units] and `bias` [units].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is not [batch, inputs]
 * @see https://keras.io/api/layers/core_layers/dense/
 */
export function dense({
  units,
  activation = "linear",
  useBias = true,
  kernelInitializer = "glorotUniform",
  biasInitializer = "zeros",
  ...common
}: DenseOptions): Layer {
  checkSize("dense", "units", units);
  checkActivation("dense", activation);
  return {
    kind: "Dense",
    ...named(common),
    config: { units, activation, useBias, kernelInitializer, biasInitializer },
    apply({ emit, parameter, fail }, x) {
      const inputs = x.shape.length === 2 ? featureSizes(x)?.[0] : undefined;
      if (inputs === undefined) return fail("a dense layer takes [batch, inputs]; put flatten() before it");
      const kernel = parameter("kernel", [inputs, units], { initializer: kernelInitializer });
      const bias = useBias ? parameter("bias", [units], { initializer: biasInitializer }) : undefined;
      return activate(emit, activation, emit.op("Gemm", [x, kernel, bias]));
    },
  };
}
