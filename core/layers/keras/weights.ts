import { EspalierError } from "../../errors.ts";
import type { ValueName } from "../../graph/graph.ts";
import type { LayerCall } from "../../models/layer-call.ts";
import type { Model } from "../../models/model.ts";
import { suggestNames } from "../../nearest.ts";
import type { Tensor } from "../../tensor.ts";
import { weightFromKeras } from "./layouts.ts";

/**
 * The model with weights of Keras's model of the same configuration.
 *
 * @param weights what each layer's `get_weights()` gives in Keras, by the layer's name
 * @throws ARGUMENT_INVALID for a layer that the model has not, another number of weights, or a shape that does not fit
 */
export function withKerasWeights(model: Model, weights: Readonly<Record<string, readonly Tensor[]>>): Model {
  const calls = new Map((model.layers ?? []).map((call) => [call.name, call]));
  const state: Record<ValueName, Tensor> = { ...model.state };
  for (const [layer, tensors] of Object.entries(weights)) {
    const call = calls.get(layer);
    if (call === undefined) {
      throw new EspalierError("ARGUMENT_INVALID", `no layer "${layer}" in "${model.graph.name}"${suggestNames(layer, calls.keys())}`, { layer });
    }
    if (tensors.length !== call.state.length) {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `layer "${layer}" has ${call.state.length} weights (${call.state.join(", ")}), not ${tensors.length}`,
        {
          layer,
        },
      );
    }
    call.state.forEach((name, i) => {
      const [weight, there] = [tensors[i], model.state[name]];
      if (weight !== undefined && there !== undefined) state[name] = weightFromKeras(kindOf(call, name), { name, weight, shape: there.shape });
    });
  }
  return { ...model, state };
}

/** The class of the innermost layer that a state value belongs to. */
function kindOf(call: LayerCall, state: ValueName): string {
  const inner = call.layers?.find((one) => one.state.includes(state));
  return inner === undefined ? call.kind : kindOf(inner, state);
}
