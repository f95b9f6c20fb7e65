import { checkNumber } from "./argument.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/**
 * In training, each element is set to 0 with probability `rate` and the others are divided by 1 - rate; in prediction nothing.
 *
 * @param options.rate from 0 to below 1
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/layers/regularization_layers/dropout/
 */
export function dropout({ rate, ...common }: { readonly rate: number } & LayerName): Layer {
  checkNumber("dropout", "rate", rate, { from: 0, below: 1 });
  return {
    ...described("Dropout", common, { rate }),
    passesMask: true,
    placewise: true,
    apply: ({ emit }, x) => (rate === 0 ? emit.op("Identity", [x]) : emit.op("Dropout", [x, emit.scalar(rate, "float32")])),
  };
}
