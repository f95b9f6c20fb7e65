import { activate, checkActivation, type ActivationName } from "./activation.ts";
import { checkSize, sizeOf } from "./argument.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { weight, type WeightArguments } from "./weight.ts";

/** Arguments of Keras's Dense. */
export interface DenseOptions extends LayerName, WeightArguments<"kernel">, WeightArguments<"bias"> {
  readonly units: number;
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
}

/**
 * Fully connected over the last dimension: activation(x kernel + bias), [batch, ..., inputs] -> [batch, ..., units].
 *
 * Parameters `kernel` [inputs, units] and `bias` [units].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input has no dimension but the batch
 * @see https://keras.io/api/layers/core_layers/dense/
 */
export function dense({ units, activation = "linear", useBias = true, ...rest }: DenseOptions): Layer {
  checkSize("dense", "units", units);
  checkActivation("dense", activation);
  const kernel = weight("dense", "kernel", rest, "glorotUniform");
  const bias = weight("dense", "bias", rest, "zeros");
  return {
    ...described("Dense", rest, { units, activation, useBias, ...kernel.config, ...bias.config }),
    passesMask: true,
    placewise: true,
    apply({ emit, parameter, fail }, x) {
      const inputs = x.shape.length >= 2 ? sizeOf(x, -1) : undefined;
      if (inputs === undefined) return fail("a dense layer takes [batch, ..., inputs]; put reshape({ targetShape: [1] }) before it");
      const w = parameter("kernel", [inputs, units], kernel.options);
      const b = useBias ? parameter("bias", [units], bias.options) : undefined;
      if (x.shape.length === 2) return activate(emit, activation, emit.op("Gemm", [x, w, b]));
      const product = emit.op("MatMul", [x, w]);
      return activate(emit, activation, b === undefined ? product : emit.op("Add", [product, b]));
    },
  };
}
