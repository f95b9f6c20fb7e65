import { formatShape } from "../graph/graph.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { described, type Layer, type LayerContext, type LayerName } from "./layer.ts";

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
    merge: (emit, inputs, { fail }) => (inputs.length === 2 ? fold(emit, "Sub", inputs) : fail(`takes two inputs, not ${inputs.length}`)),
  });
}

/**
 * The product of several inputs of one shape; a size of 1 is repeated. A masked place is 1 to the others, and 0 where it counts in none.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/multiply/
 */
export function multiply(common: LayerName = {}): Layer {
  return merging(common, {
    kind: "Multiply",
    merge(emit, inputs, { masks, common: counting }) {
      const ones = inputs.map((input, i) => kept(emit, masks[i], input, emit.scalar(1, input.dtype)));
      const product = fold(emit, "Mul", ones);
      return kept(emit, counting, product, emit.scalar(0, product.dtype));
    },
  });
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
 * The largest of several inputs of one shape, element by element; a size of 1 is repeated. A masked place has no say where another input's counts.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/maximum/
 */
export function maximum(common: LayerName = {}): Layer {
  return merging(common, { kind: "Maximum", merge: (emit, inputs, { masks }) => chosen(emit, "Max", inputs, masks) });
}

/**
 * The smallest of several inputs of one shape, element by element; a size of 1 is repeated. A masked place has no say where another input's counts.
 *
 * @throws GRAPH_SHAPE when two inputs differ in shape
 * @see https://keras.io/api/layers/merging_layers/minimum/
 */
export function minimum(common: LayerName = {}): Layer {
  return merging(common, { kind: "Minimum", merge: (emit, inputs, { masks }) => chosen(emit, "Min", inputs, masks) });
}

/**
 * Several inputs side by side along one dimension.
 *
 * Masks of [batch, steps, ...] inputs: along the steps they follow each other, an input without one counting everywhere; along another dimension a step
 * counts that counts in any input.
 *
 * @param options.axis which dimension, default 1: features of [batch, features], channels of [batch, channels, height, width]
 * @throws GRAPH_SHAPE when another dimension differs
 * @see https://keras.io/api/layers/merging_layers/concatenate/
 */
export function concatenate({ axis = 1, ...common }: { readonly axis?: number } & LayerName = {}): Layer {
  return {
    ...described("Concatenate", common, { axis }),
    merges: true,
    apply({ emit, fail, maskOf, setMask }, x, ...others) {
      if (others.length === 0) return fail("takes two or more inputs");
      const place = axis < 0 ? axis + x.shape.length : axis;
      if (!Number.isInteger(axis) || place < 1 || place >= x.shape.length) return fail(`axis must be from 1 to ${x.shape.length - 1}, not ${axis}`);
      for (const other of others) {
        const differs = other.shape.length !== x.shape.length || other.shape.some((size, i) => i !== place && size !== x.shape[i]);
        if (differs) return fail(`inputs must agree in all dimensions but ${place}: ${formatShape(x.shape)} and ${formatShape(other.shape)} do not`);
      }
      const joined = emit.op("Concat", [x, ...others], { axis: place });
      const mask = joinedMask(
        emit,
        [x, ...others].map((value) => ({ value, mask: maskOf(value) })),
        place,
      );
      if (mask) setMask(joined, mask);
      return joined;
    },
  };
}

interface Masked {
  readonly value: Value;
  /** Bool [batch, steps]. */
  readonly mask: Value | undefined;
}

/** The mask of what is joined along a dimension. */
function joinedMask(emit: Emitter, inputs: readonly Masked[], place: number): Value | undefined {
  if (inputs.every(({ mask }) => mask === undefined)) return undefined;
  if (place > 1)
    return common(
      emit,
      inputs.map(({ mask }) => mask),
    );
  const each = inputs.map(({ value, mask }) => mask ?? everywhere(emit, value));
  return emit.op("Concat", each, { axis: 1 });
}

/** True for each step of [batch, steps, ...]. */
function everywhere(emit: Emitter, value: Value): Value {
  const steps = emit.op("Shape", [value], { start: 0, end: 2 });
  return emit.op("Expand", [emit.constant(tensor("bool", [1, 1], [true])), steps]);
}

interface Merging {
  readonly kind: string;
  readonly merge: (emit: Emitter, inputs: readonly Value[], context: MergingContext) => Value;
}

interface MergingContext {
  readonly fail: LayerContext["fail"];
  /** Of each input, as it goes with it: [batch, steps, 1, ...]. */
  readonly masks: readonly (Value | undefined)[];
  /** Of the result, in the same form. */
  readonly common: Value | undefined;
}

function merging(name: LayerName, { kind, merge }: Merging): Layer {
  return {
    ...described(kind, name, {}),
    merges: true,
    apply({ emit, fail, maskOf, setMask }, x, ...others) {
      if (others.length === 0) return fail("takes two or more inputs");
      for (const other of others) {
        const fits = other.shape.length === x.shape.length && other.shape.every((size, i) => size === x.shape[i] || size === 1 || x.shape[i] === 1);
        if (!fits) return fail(`inputs must have one shape, not ${formatShape(x.shape)} and ${formatShape(other.shape)}`);
      }
      const inputs = [x, ...others];
      const mask = common(emit, inputs.map(maskOf));
      const wide = (one: Value | undefined): Value | undefined => one && widened(emit, one, x.shape.length);
      const merged = merge(emit, inputs, { fail, masks: inputs.map((input) => wide(maskOf(input))), common: wide(mask) });
      if (mask) setMask(merged, mask);
      return merged;
    },
  };
}

/** A place counts that counts in any input; where one input has no mask, all do and there is none. */
function common(emit: Emitter, masks: readonly (Value | undefined)[]): Value | undefined {
  const given = masks.filter((mask) => mask !== undefined);
  if (given.length < masks.length) return undefined;
  const different = [...new Map(given.map((mask) => [mask.name, mask])).values()];
  return different.reduce((a, b) => emit.op("Or", [a, b]));
}

/** [batch, steps] as [batch, steps, 1, ...] of a rank. */
function widened(emit: Emitter, mask: Value, rank: number): Value {
  const more = Array.from({ length: rank - mask.shape.length }, (_, i) => i + mask.shape.length);
  return more.length === 0 ? mask : emit.op("Unsqueeze", [mask, emit.ints(more)]);
}

/** The value where it counts, and another one elsewhere. */
function kept(emit: Emitter, mask: Value | undefined, value: Value, otherwise: Value): Value {
  return mask === undefined ? value : emit.op("Where", [mask, value, otherwise]);
}

/** Max or Min over the inputs that count at a place. */
function chosen(emit: Emitter, operator: "Max" | "Min", inputs: readonly Value[], masks: readonly (Value | undefined)[]): Value {
  let [output, counts] = [inputs[0] as Value, masks[0]]; // there are two or more
  for (const [i, input] of inputs.entries()) {
    if (i === 0) continue;
    const mask = masks[i];
    const next = kept(emit, mask, input, output);
    output = emit.op(operator, [kept(emit, counts, output, next), next]);
    counts = mask && counts && emit.op("Or", [counts, mask]);
  }
  return output;
}

function fold(emit: Emitter, operator: string, inputs: readonly Value[]): Value {
  return inputs.reduce((a, b) => emit.op(operator, [a, b]));
}
