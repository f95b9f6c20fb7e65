import { formatShape } from "../graph/graph.ts";
import { sameShape } from "../operators/operator.ts";
import { named, type Layer, type LayerName } from "./layer.ts";

/**
 * The sum of several inputs of one shape.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/add/
 */
export function add(common: LayerName = {}): Layer {
  return {
    kind: "Add",
    ...named(common),
    config: {},
    merges: true,
    apply({ emit, fail }, x, ...others) {
      if (others.length === 0) return fail("takes two or more inputs");
      return others.reduce((sum, other) => {
        if (!sameShape(sum.shape, other.shape))
          return fail(`inputs must have one shape, not ${formatShape(sum.shape)} and ${formatShape(other.shape)}`);
        return emit.op("Add", [sum, other]);
      }, x);
    },
  };
}
