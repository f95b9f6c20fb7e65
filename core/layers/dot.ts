import { formatShape } from "../graph/graph.ts";
import { reshape } from "../operators/gradients.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { elementCount } from "../tensor.ts";
import { described, type Layer, type LayerName } from "./layer.ts";
import { featureAxes } from "./move-axis.ts";
import { unitLength } from "./unit-length.ts";

/** Arguments of Keras's Dot. */
export interface DotOptions extends LayerName {
  /** Which dimension is summed over, of both inputs or of each; 0 is the batch. */
  readonly axes: number | readonly [number, number];
  /** Whether both are brought to length 1 first: the products are cosines. Default false. */
  readonly normalize?: boolean;
}

/**
 * Products of two inputs, summed over one dimension of each: [batch, n] and [batch, n] -> [batch, 1]; [batch, a, n] and [batch, b, n] with
 * axes 2 -> [batch, a, b]. The first input's other dimensions come before the second's, however many there are.
 *
 * @throws GRAPH_SHAPE when the inputs are not two, the axes are not theirs, or the sizes summed over differ
 * @see https://keras.io/api/layers/merging_layers/dot/
 */
export function dot({ axes, normalize = false, ...common }: DotOptions): Layer {
  return {
    ...described("Dot", common, { axes, normalize }),
    merges: true,
    apply({ emit, fail }, x, ...others) {
      const [y] = others;
      if (y === undefined || others.length > 1) return fail(`takes two inputs, not ${1 + others.length}`);
      const [ax, ay] = typeof axes === "number" ? [axes, axes] : axes;
      const [[px = 0], [py = 0]] = [featureAxes(x, ax, fail), featureAxes(y, ay, fail)];
      const inner = x.shape[px];
      if (inner !== y.shape[py]) {
        return fail(`dimension ${px} of ${formatShape(x.shape)} and ${py} of ${formatShape(y.shape)} must have one size`);
      }
      const [a, b] = normalize ? [unitLength(emit, x, [px]), unitLength(emit, y, [py])] : [x, y];
      if (x.shape.length === 2 && y.shape.length === 2) return emit.op("ReduceSum", [emit.op("Mul", [a, b]), emit.ints([1])], { keepdims: 1 });
      const [left, right] = [outerSizes(x, px), outerSizes(y, py)];
      const rows = reshape(emit, turned(emit, a, [...outerAxes(x, px), px]), ["batch", elementCount(left), Number(inner)]);
      const columns = reshape(emit, turned(emit, b, [py, ...outerAxes(y, py)]), ["batch", Number(inner), elementCount(right)]);
      return reshape(emit, emit.op("MatMul", [rows, columns]), ["batch", ...left, ...right]);
    },
  };
}

/** The dimensions that stay. */
function outerAxes({ shape }: Value, axis: number): readonly number[] {
  return [...shape.keys()].slice(1).filter((other) => other !== axis);
}

function outerSizes(value: Value, axis: number): readonly number[] {
  return outerAxes(value, axis).map((other) => Number(value.shape[other]));
}

/** @param order of the dimensions behind the batch */
function turned(emit: Emitter, value: Value, order: readonly number[]): Value {
  return order.every((axis, i) => axis === i + 1) ? value : emit.op("Transpose", [value], { perm: [0, ...order] });
}
