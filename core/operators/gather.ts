import { formatShape, type Dimension } from "../graph/graph.ts";
import { dtypeCodes } from "./cast.ts";
import { vectorContents } from "./contents.ts";
import { zerosLike } from "./gradients.ts";
import type { Operator } from "./operator.ts";
import { axisOf, floatTypes, movableTypes, typed } from "./shapes.ts";

/**
 * Slices of `data` along `axis` at `indices` (whole numbers; negative ones count from the end).
 *
 * @see https://onnx.ai/onnx/operators/onnx__Gather.html
 */
export const gather: Operator = {
  name: "Gather",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: 0 } },
  infer(context) {
    const data = typed(context, 0, movableTypes);
    const indices = typed(context, 1, ["int32", "int64"]);
    const axis = axisOf(context, context.attributes.int("axis"), data.shape.length);
    return [{ dtype: data.dtype, shape: gatheredShape(data.shape, indices.shape, axis) }];
  },
  contents(context) {
    const all = vectorContents(context, 0);
    const indices = context.dimensions(1);
    if (all === undefined || indices === undefined) return undefined;
    return indices.map((index) => (index === "batch" ? undefined : all.at(index)) ?? context.fail(`index ${index} is outside ${formatShape(all)}`));
  },
  gradient({ emit, input, attributes, gradients: [dy] }) {
    return [dy && emit.op("GatherGrad", [input(0), input(1), dy], { axis: attributes.int("axis") })];
  },
};

/** Gather's gradient: dY added up into the shape of `data` (whose contents are not read) at `indices` along `axis`. */
export const gatherGrad: Operator = {
  name: "GatherGrad",
  domain: "espalier",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: 0 } },
  infer(context) {
    const data = typed(context, 0, floatTypes);
    const indices = typed(context, 1, ["int32", "int64"]);
    const dy = typed(context, 2, [data.dtype]);
    const axis = axisOf(context, context.attributes.int("axis"), data.shape.length);
    const expected = gatheredShape(data.shape, indices.shape, axis);
    if (formatShape(dy.shape) !== formatShape(expected)) context.fail(`dY is ${formatShape(dy.shape)}, but Gather gives ${formatShape(expected)}`);
    return [data];
  },
  gradient({ emit, input, attributes, gradients: [gradient] }) {
    return [undefined, undefined, gradient && emit.op("Gather", [gradient, input(1)], { axis: attributes.int("axis") })];
  },
  lower({ emit, input, attributes }) {
    const data = input(0);
    const indices = input(1);
    const rank = data.shape.length;
    const axis = attributes.int("axis") < 0 ? attributes.int("axis") + rank : attributes.int("axis");
    // ScatterND writes along the first axis: bring `axis` there, and back afterwards.
    const [first, back] = axisFirst(rank, axis);
    const target = axis === 0 ? data : emit.op("Transpose", [data], { perm: first });
    const places = axisRange(axis, indices.shape.length);
    const others = axisRange(0, input(2).shape.length).filter((place) => !places.includes(place));
    const updates = axis === 0 ? input(2) : emit.op("Transpose", [input(2)], { perm: [...places, ...others] });
    const wide = indices.dtype === "int64" ? indices : emit.op("Cast", [indices], { to: dtypeCodes.int64 });
    const sums = emit.op("ScatterND", [zerosLike(emit, target), emit.op("Unsqueeze", [wide, emit.ints([-1])]), updates], { reduction: "add" });
    return [axis === 0 ? sums : emit.op("Transpose", [sums], { perm: back })];
  },
};

function gatheredShape(data: readonly Dimension[], indices: readonly Dimension[], axis: number): readonly Dimension[] {
  return [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
}

function axisRange(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

/** The permutation that brings `axis` to the front, and the one that takes it back. */
function axisFirst(rank: number, axis: number): readonly [readonly number[], readonly number[]] {
  const first = [axis, ...axisRange(0, rank).filter((other) => other !== axis)];
  return [first, first.map((_, i) => first.indexOf(i))];
}
