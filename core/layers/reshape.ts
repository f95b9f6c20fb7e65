import { elementCount } from "../tensor.ts";
import { featureSizes } from "./argument.ts";
import { named, type Layer, type LayerName } from "./layer.ts";

/**
 * Another shape for each example: [batch, ...sizes] -> [batch, ...targetShape].
 *
 * @param options.targetShape without the batch dimension; one size may be -1: what is left
 * @throws GRAPH_SHAPE when the element counts differ
 * @see https://keras.io/api/layers/reshaping_layers/reshape/
 */
export function reshape({ targetShape, ...common }: { readonly targetShape: readonly number[] } & LayerName): Layer {
  return {
    kind: "Reshape",
    ...named(common),
    config: { targetShape },
    apply({ emit, fail }, x) {
      const elements = elementCount(featureSizes(x) ?? fail("only the first dimension may be the batch"));
      const rest = elements / elementCount(targetShape.filter((size) => size !== -1));
      const sizes = targetShape.map((size) => (size === -1 ? rest : size));
      const wholes = sizes.every((size) => Number.isSafeInteger(size) && size >= 1);
      if (targetShape.filter((size) => size === -1).length > 1 || !wholes || elementCount(sizes) !== elements) {
        return fail(`${elements} elements a row cannot take the shape [${targetShape.join(", ")}]`);
      }
      return emit.op("Reshape", [x, emit.ints([-1, ...sizes])]);
    },
  };
}
