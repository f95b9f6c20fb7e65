import type { Emitter, Value } from "../operators/operator.ts";
import { checkRegularizer, l1l2, type Regularizer } from "../training/regularizer.ts";
import { checkNumber } from "./argument.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/**
 * A penalty on the values that pass, added to the training loss: (l1 sum|x| + l2 sum x^2) / rows of the batch. The values stay as they are.
 *
 * What other layers take as `activityRegularizer`, as a layer.
 *
 * @param options.l1 from 0, default 0
 * @param options.l2 from 0, default 0
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE for an input that is not of floats
 * @see https://keras.io/api/layers/regularization_layers/activity_regularization/
 */
export function activityRegularization({ l1 = 0, l2 = 0, ...common }: { readonly l1?: number; readonly l2?: number } & LayerName = {}): Layer {
  checkNumber("activityRegularization", "l1", l1, { from: 0 });
  checkNumber("activityRegularization", "l2", l2, { from: 0 });
  return {
    ...described("ActivityRegularization", common, { l1, l2 }),
    passesMask: true,
    placewise: true,
    apply: ({ emit }, x) => penalized(emit, l1l2({ l1, l2 }), x),
  };
}

/** The value, marked: training adds the regulariser's penalty on it, divided by the rows of the batch, to the loss. */
export function penalized(emit: Emitter, regularizer: Regularizer | undefined, value: Value): Value {
  return regularizer === undefined ? value : emit.op("ActivityRegularization", [value], { ...checkRegularizer(regularizer) });
}
