import { formatShape } from "../graph/graph.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { named, type Layer, type LayerContext, type LayerName } from "./layer.ts";

/**
 * The sum of several inputs of one shape; a size of 1 is repeated.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/add/
 */
export function add(common: LayerName = {}): Layer {
  return merging(common, { kind: "Add", merge: (emit, inputs) => fold(emit, "Add", inputs) });
}

/**
 * The first input minus the second, of one shape; a size of 1 is repeated.
 *
 * @throws GRAPH_SHAPE when the inputs are not two of one shape
 * @see https://keras.io/api/layers/merging_layers/subtract/
 */
export function subtract(common: LayerName = {}): Layer {
  return merging(common, {
    kind: "Subtract",
    merge: (emit, inputs, fail) => (inputs.length === 2 ? fold(emit, "Sub", inputs) : fail(`takes two inputs, not ${inputs.length}`)),
  });
}

/**
 * The product of several inputs of one shape; a size of 1 is repeated.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/multiply/
 */
export function multiply(common: LayerName = {}): Layer {
  return merging(common, { kind: "Multiply", merge: (emit, inputs) => fold(emit, "Mul", inputs) });
}

/**
 * The mean of several inputs of one shape; a size of 1 is repeated.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/average/
 */
export function average(common: LayerName = {}): Layer {
  return merging(common, {
    kind: "Average",
    merge(emit, inputs) {
      const sum = fold(emit, "Add", inputs);
      return emit.op("Mul", [sum, emit.scalar(1 / inputs.length, sum.dtype)]);
    },
  });
}

/**
 * The largest of several inputs of one shape, element by element; a size of 1 is repeated.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/maximum/
 */
export function maximum(common: LayerName = {}): Layer {
  return merging(common, { kind: "Maximum", merge: (emit, inputs) => fold(emit, "Max", inputs) });
}

/**
 * The smallest of several inputs of one shape, element by element; a size of 1 is repeated.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/minimum/
 */
export function minimum(common: LayerName = {}): Layer {
  return merging(common, { kind: "Minimum", merge: (emit, inputs) => fold(emit, "Min", inputs) });
}

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
      for (const other of others) {
        const differs = other.shape.length !== x.shape.length || other.shape.some((size, i) => i !== place && size !== x.shape[i]);
        if (differs) return fail(`inputs must agree in all dimensions but ${place}: ${formatShape(x.shape)} and ${formatShape(other.shape)} do not`);
      }
      return emit.op("Concat", [x, ...others], { axis: place });
    },
  };
}

interface Merging {
  readonly kind: string;
  readonly merge: (emit: Emitter, inputs: readonly Value[], fail: LayerContext["fail"]) => Value;
}

function merging(common: LayerName, { kind, merge }: Merging): Layer {
  return {
    kind,
    ...named(common),
    config: {},
    merges: true,
    apply({ emit, fail, maskOf, setMask }, x, ...others) {
      if (others.length === 0) return fail("takes two or more inputs");
      for (const other of others) {
        const fits = other.shape.length === x.shape.length && other.shape.every((size, i) => size === x.shape[i] || size === 1 || x.shape[i] === 1);
        if (!fits) return fail(`inputs must have one shape, not ${formatShape(x.shape)} and ${formatShape(other.shape)}`);
      }
      const merged = merge(emit, [x, ...others], fail);
      const masks = new Map([x, ...others].flatMap((input) => maskOf(input) ?? []).map((mask) => [mask.name, mask]));
      // A place counts that counts in any input.
      if (masks.size > 0)
        setMask(
          merged,
          [...masks.values()].reduce((a, b) => emit.op("Or", [a, b])),
        );
      return merged;
    },
  };
}

function fold(emit: Emitter, operator: string, inputs: readonly Value[]): Value {
  return inputs.reduce((a, b) => emit.op(operator, [a, b]));
}
