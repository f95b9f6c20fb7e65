import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import type { Dimension } from "../graph/graph.ts";
import type { Attributes, Emitter, InferContext, Operator, Value } from "./operator.ts";
import { resizeTaps, type AxisResize, type Tap } from "./resize-taps.ts";
import { axesOf, floatTypes, typed } from "./shapes.ts";
import { fromFront, range } from "./static-shape.ts";

const choices: Readonly<Record<string, readonly string[]>> = {
  mode: ["nearest", "linear", "cubic"],
  coordinate_transformation_mode: ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"],
  nearest_mode: ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"],
  keep_aspect_ratio_policy: ["stretch", "not_larger", "not_smaller"],
};

/**
 * A value with other sizes, each axis interpolated in turn: by `scales` (input 2) or to `sizes` (input 3), both constants, of `axes` or of every axis.
 * The batch axis keeps its size. Its gradient goes through its lowering.
 *
 * The coordinates of cropping (tf_crop_and_resize) are not there.
 * @see https://onnx.ai/onnx/operators/onnx__Resize.html
 */
export const resize: Operator = {
  name: "Resize",
  domain: "",
  inputs: [3, 4],
  outputs: [1, 1],
  attributes: {
    antialias: { kind: "int", default: 0 },
    axes: { kind: "ints" },
    coordinate_transformation_mode: { kind: "string", default: "half_pixel" },
    cubic_coeff_a: { kind: "float", default: -0.75 },
    exclude_outside: { kind: "int", default: 0 },
    extrapolation_value: { kind: "float", default: 0 },
    keep_aspect_ratio_policy: { kind: "string", default: "stretch" },
    mode: { kind: "string", default: "nearest" },
    nearest_mode: { kind: "string", default: "round_prefer_floor" },
  },
  infer(context) {
    const x = typed(context, 0, floatTypes);
    for (const [name, values] of Object.entries(choices)) {
      const value = context.attributes.string(name);
      if (!values.includes(value)) context.fail(`${name} "${value}" is not there; use ${values.join(", ")}`);
    }
    const shape = x.shape.map((size) => size);
    for (const { axis, length } of resizedAxes(context, x.shape)) shape[axis] = length;
    return [{ dtype: x.dtype, shape }];
  },
  lower({ emit, input, inputs, constant, attributes, outputTypes }) {
    const x = input(0);
    const axes = plannedAxes(x.shape, outputTypes[0]?.shape ?? x.shape, {
      scales: inputs[2] && constant(2),
      sizes: inputs[3] && constant(3),
      attributes,
    });
    return [axes.reduce((value, { axis, rule }) => resizedAlong(emit, value, axis, rule), emit.op("Identity", [x]))];
  },
};

/** The axes whose size or elements change, and how. */
export function plannedAxes(
  from: readonly Dimension[],
  to: readonly Dimension[],
  { scales, sizes, attributes }: { readonly scales: Tensor | undefined; readonly sizes: Tensor | undefined; readonly attributes: Attributes },
): readonly { readonly axis: number; readonly rule: AxisResize }[] {
  const axes = attributes.has("axes") ? attributes.ints("axes").map((axis) => fromFront(axis, from.length)) : range(from.length);
  const given = scales && toNumbers(scales);
  const keepsRatio = attributes.string("keep_aspect_ratio_policy") !== "stretch" && sizes !== undefined && sizes.data.length > 0;
  const common = keepsRatio
    ? commonScale(
        attributes,
        toNumbers(sizes).map((length, i) => length / Number(from[axes[i] ?? 0])),
      )
    : undefined;
  return axes.flatMap((axis, i) => {
    const [size, length] = [from[axis] ?? 1, to[axis] ?? 1];
    if (size === "batch" || length === "batch") return [];
    const scale = given !== undefined && given.length > 0 ? (given[i] ?? 1) : (common ?? length / size);
    if (size === length && scale === 1) return [];
    const rule: AxisResize = {
      size,
      length,
      scale,
      mode: attributes.string("mode") as AxisResize["mode"], // the shape rule has compared it with all of them
      coordinates: attributes.string("coordinate_transformation_mode"),
      nearest: attributes.string("nearest_mode"),
      cubicCoefficient: attributes.float("cubic_coeff_a"),
      excludeOutside: attributes.int("exclude_outside") === 1,
      antialias: attributes.int("antialias") === 1,
    };
    return [{ axis, rule }];
  });
}

function resizedAxes(context: InferContext, shape: readonly Dimension[]): readonly { axis: number; length: Dimension }[] {
  const { attributes } = context;
  const axes = axesOf(context, attributes.has("axes") ? attributes.ints("axes") : range(shape.length), shape.length);
  const scales = context.inputs[2] && toNumbers(context.constant(2) ?? context.fail("scales (input 2) must be constants"));
  const sizes = context.inputs[3] && (context.dimensions(3) ?? context.fail("sizes (input 3) must be constants or follow from Shape"));
  const useScales = scales !== undefined && scales.length > 0;
  if (useScales === (sizes !== undefined && sizes.length > 0)) context.fail("give either scales (input 2) or sizes (input 3)");
  const count = useScales ? scales.length : (sizes?.length ?? 0);
  if (count !== axes.length) context.fail(`${count} ${useScales ? "scales" : "sizes"} for ${axes.length} axes: there must be one for each`);
  if (useScales) {
    return axes.map((axis, i) => {
      const [size, scale] = [shape[axis] ?? 1, scales[i] ?? 1];
      if (!(scale > 0 && Number.isFinite(scale))) context.fail(`a scale must be above 0, not ${scale}`);
      if (size === "batch") return scale === 1 ? { axis, length: size } : context.fail("the batch axis cannot be resized");
      return { axis, length: nonEmpty(context, { axis, size, length: Math.floor(size * scale) }) };
    });
  }
  return keepRatio(context, shape, { axes, sizes: sizes ?? [] }).map(({ axis, length }) => {
    const size = shape[axis] ?? 1;
    if (size === "batch" || length === "batch") return size === length ? { axis, length } : context.fail("the batch axis cannot be resized");
    return { axis, length: nonEmpty(context, { axis, size, length }) };
  });
}

function nonEmpty(context: InferContext, { axis, size, length }: { axis: number; size: number; length: number }): number {
  if (length < 0) context.fail(`a size cannot be ${length}`);
  if (size === 0 && length > 0) context.fail(`axis ${axis} is empty: it has nothing to make ${length} elements of`);
  return length;
}

/** Sizes as they are, or the largest (smallest) ones of the input's proportions that do not exceed (fall below) them. */
function keepRatio(
  context: InferContext,
  shape: readonly Dimension[],
  { axes, sizes }: { readonly axes: readonly number[]; readonly sizes: readonly Dimension[] },
): readonly { axis: number; length: Dimension }[] {
  const { attributes, fail } = context;
  const policy = attributes.string("keep_aspect_ratio_policy");
  if (policy === "stretch") return axes.map((axis, i) => ({ axis, length: sizes[i] ?? 1 }));
  const ratios = axes.map((axis, i) => {
    const [size, length] = [shape[axis] ?? 1, sizes[i] ?? 1];
    return size === "batch" || length === "batch"
      ? fail(`keep_aspect_ratio_policy "${policy}" needs axes of known sizes; name them by axes`)
      : length / size;
  });
  if (context.constant(3) === undefined) fail(`keep_aspect_ratio_policy "${policy}" needs constant sizes (input 3)`);
  const scale = commonScale(attributes, ratios);
  return axes.map((axis) => ({ axis, length: Math.floor(scale * Number(shape[axis]) + 0.5) }));
}

function commonScale(attributes: Attributes, ratios: readonly number[]): number {
  return attributes.string("keep_aspect_ratio_policy") === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
}

/** Weights of one axis above this (16 MiB of float32) are more than the values that they work on: elements are then chosen and weighed. */
const mostWeights = 2 ** 22;

/** One axis: copies where every element becomes equally many, else chosen elements, else a product with the weights. */
function resizedAlong(emit: Emitter, value: Value, axis: number, rule: AxisResize): Value {
  const taps = resizeTaps(rule);
  const times = rule.length / rule.size;
  if (rule.mode === "nearest") {
    const places = taps.map(([tap]) => tap?.place ?? 0);
    if (Number.isInteger(times) && places.every((place, i) => place === Math.floor(i / times))) return repeated(emit, value, { axis, times });
    return emit.op("Gather", [value, emit.constant(tensor("int64", [places.length], places))], { axis });
  }
  if (rule.size * rule.length > mostWeights) return weighedSum(emit, value, axis, taps);
  const rank = value.shape.length;
  const swapped = range(rank).map((i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  const swap = (x: Value): Value => (axis === rank - 1 ? x : emit.op("Transpose", [x], { perm: swapped }));
  return swap(emit.op("MatMul", [swap(value), weightMatrix(emit, taps, { size: rule.size, dtype: value.dtype })]));
}

/** [a, b] as [a, a, b, b]. */
function repeated(emit: Emitter, value: Value, { axis, times }: { axis: number; times: number }): Value {
  const size = Number(value.shape[axis]);
  const column = emit.op("Unsqueeze", [value, emit.ints([axis + 1])]);
  const wide = emit.op("Expand", [column, emit.ints(column.shape.map((_, i) => (i === axis + 1 ? times : 1)))]);
  const shape = value.shape.with(axis, size * times).map((length) => (length === "batch" ? -1 : length));
  return emit.op("Reshape", [wide, emit.ints(shape)]);
}

/** The first tap of every output element, the second ... each gathered and weighed. */
function weighedSum(emit: Emitter, value: Value, axis: number, taps: readonly (readonly Tap[])[]): Value {
  const count = Math.max(...taps.map((list) => list.length));
  const shape = value.shape.map((_, i) => (i === axis ? taps.length : 1));
  const terms = range(count).map((k) => {
    const places = taps.map((list) => list[k]?.place ?? 0);
    const weights = taps.map((list) => list[k]?.weight ?? 0);
    const chosen = emit.op("Gather", [value, emit.constant(tensor("int64", [places.length], places))], { axis });
    return emit.op("Mul", [chosen, emit.constant(tensor(value.dtype, shape, weights))]);
  });
  return terms.reduce((sum, term) => emit.op("Add", [sum, term]));
}

function weightMatrix(emit: Emitter, taps: readonly (readonly Tap[])[], { size, dtype }: { size: number; dtype: Value["dtype"] }): Value {
  const weights = new Float64Array(size * taps.length);
  taps.forEach((list, column) => {
    for (const { place, weight } of list) weights[place * taps.length + column] = (weights[place * taps.length + column] ?? 0) + weight;
  });
  return emit.constant(tensor(dtype, [size, taps.length], Array.from(weights)));
}
