import type { Emitter, Value } from "../operators/operator.ts";
import { formatShape } from "../graph/graph.ts";
import { unitLength } from "./unit-length.ts";
import { named, type Layer, type LayerName } from "./layer.ts";

/** Arguments of Keras's Dot. */
export interface DotOptions extends LayerName {
  /** Which dimension is summed over, of both inputs or of each; 0 is the batch. */
  readonly axes: number | readonly [number, number];
  /** Whether both are brought to length 1 first: the products are cosines. Default false. */
  readonly normalize?: boolean;
}

/**
 * Products of two inputs, summed over one dimension of each: [batch, n] and [batch, n] -> [batch, 1]; [batch, a, n] and [batch, b, n] with
 * axes 2 -> [batch, a, b].
 *
 * @throws GRAPH_SHAPE when the inputs are not two of two or three dimensions, or the sizes summed over differ
 * @see https://keras.io/api/layers/merging_layers/dot/
 */
export function dot({ axes, normalize = false, ...common }: DotOptions): Layer {
  return {
    kind: "Dot",
    ...named(common),
    config: { axes, normalize },
    merges: true,
    apply({ emit, fail }, x, ...others) {
      const [y] = others;
      if (y === undefined || others.length > 1) return fail(`takes two inputs, not ${1 + others.length}`);
      const [ax, ay] = typeof axes === "number" ? [axes, axes] : axes;
      const place = (value: Value, axis: number): number => {
        const rank = value.shape.length;
        const found = axis < 0 ? axis + rank : axis;
        if (rank < 2 || rank > 3) return fail("takes inputs of two or three dimensions with the batch");
        return Number.isInteger(axis) && found >= 1 && found < rank ? found : fail(`axes must name dimensions after the batch, not ${String(axis)}`);
      };
      const [px, py] = [place(x, ax), place(y, ay)];
      if (x.shape[px] !== y.shape[py]) {
        return fail(`dimension ${px} of ${formatShape(x.shape)} and ${py} of ${formatShape(y.shape)} must have one size`);
      }
      const [a, b] = normalize ? [unitLength(emit, x, [px]), unitLength(emit, y, [py])] : [x, y];
      if (x.shape.length === 2 && y.shape.length === 2) return emit.op("ReduceSum", [emit.op("Mul", [a, b]), emit.ints([1])], { keepdims: 1 });
      const product = emit.op("MatMul", [matrix(emit, a, { inner: px, last: true }), matrix(emit, b, { inner: py, last: false })]);
      if (x.shape.length === 2) return emit.op("Squeeze", [product, emit.ints([1])]);
      return y.shape.length === 2 ? emit.op("Squeeze", [product, emit.ints([2])]) : product;
    },
  };
}

/** [batch, m, inner] when `last`, else [batch, inner, n]; a missing outer dimension has size 1. */
function matrix(emit: Emitter, value: Value, { inner, last }: { inner: number; last: boolean }): Value {
  if (value.shape.length === 2) return emit.op("Unsqueeze", [value, emit.ints([last ? 1 : 2])]);
  return (inner === 2) === last ? value : emit.op("Transpose", [value], { perm: [0, 2, 1] });
}
