import { named, type Layer, type LayerName } from "./layer.ts";

/**
 * Several inputs side by side along one dimension.
 *
 * @param options.axis which dimension, default 1: features of [batch, features], channels of [batch, channels, height, width]
 * @throws GRAPH_SHAPE when another dimension differs
 * @see https://keras.io/api/layers/merging_layers/concatenate/
 */
export function concatenate({ axis = 1, ...common }: { readonly axis?: number } & LayerName = {}): Layer {
  return {
    kind: "Concatenate",
    ...named(common),
    config: { axis },
    merges: true,
    apply({ emit, fail }, x, ...others) {
      if (others.length === 0) return fail("takes two or more inputs");
      const place = axis < 0 ? axis + x.shape.length : axis;
      if (!Number.isInteger(axis) || place < 1 || place >= x.shape.length) return fail(`axis must be from 1 to ${x.shape.length - 1}, not ${axis}`);
      return emit.op("Concat", [x, ...others], { axis: place });
    },
  };
}
