import { EspalierError } from "../errors.ts";
import type { Value } from "../operators/operator.ts";
import { sizeOf } from "./argument.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/**
 * One layer at every step: [batch, steps, ...] -> [batch, steps, ...], with one set of weights.
 *
 * A layer of the last dimension alone (dense, activations) is applied to all steps at once; others step by step, which writes their nodes as often as
 * there are steps.
 *
 * @throws ARGUMENT_INVALID for a layer with an activityRegularizer; GRAPH_SHAPE when the input has no steps
 * @see https://keras.io/api/layers/recurrent_layers/time_distributed/
 */
export function timeDistributed({ layer, ...common }: { readonly layer: Layer } & LayerName): Layer {
  if (typeof layer?.apply !== "function") {
    throw new EspalierError("ARGUMENT_INVALID", "timeDistributed: layer must be one, such as dense({ units: 1 })", { argument: "layer" });
  }
  if (layer.activityRegularizer !== undefined) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      "timeDistributed: its layer's activityRegularizer would not count, as in Keras; give it to timeDistributed itself",
      {
        argument: "activityRegularizer",
      },
    );
  }
  return {
    ...described("TimeDistributed", common, { layer: { kind: layer.kind, name: layer.name ?? layer.kind.toLowerCase(), config: layer.config } }),
    passesMask: true,
    apply(context, x) {
      const { emit, fail } = context;
      const steps = sizeOf(x, 1);
      if (x.shape.length < 3 || steps === undefined) return fail("takes [batch, steps, ...]");
      if (layer.placewise === true) return context.apply(layer, x);
      const each = Array.from({ length: steps }, (_, i): Value => {
        const step = emit.op("Slice", [x, emit.ints([i]), emit.ints([i + 1]), emit.ints([1])]);
        return emit.op("Unsqueeze", [context.apply(layer, emit.op("Squeeze", [step, emit.ints([1])])), emit.ints([1])]);
      });
      return each.length === 1 ? (each[0] as Value) : emit.op("Concat", each, { axis: 1 }); // one step
    },
  };
}
