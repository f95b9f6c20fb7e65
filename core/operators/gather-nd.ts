import { formatShape, type Dimension } from "../graph/graph.ts";
import { blockPlaces } from "./flat-index.ts";
import { zerosLike } from "./gradients.ts";
import type { InferContext, Operator } from "./operator.ts";
import { floatTypes, movableTypes, typed } from "./shapes.ts";
import { staticShape } from "./static-shape.ts";

/**
 * Blocks of `data` at the places in `indices`: their last axis indexes the axes of `data` after the first `batch_dims`, which both share.
 *
 * @see https://onnx.ai/onnx/operators/onnx__GatherND.html
 */
export const gatherNd: Operator = {
  name: "GatherND",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { batch_dims: { kind: "int", default: 0 } },
  infer(context) {
    const data = typed(context, 0, movableTypes);
    return [{ dtype: data.dtype, shape: gatheredShape(context) }];
  },
  gradient({ emit, input, attributes, gradients: [dy] }) {
    return [dy && emit.op("GatherNDGrad", [input(0), input(1), dy], { batch_dims: attributes.int("batch_dims") })];
  },
  lower({ emit, input, attributes, outputTypes }) {
    const shape = staticShape(input(0));
    const batch = attributes.int("batch_dims");
    const depth = Number(input(1).shape.at(-1));
    const places = blockPlaces(emit, input(1), { shape, batch });
    const count = shape.slice(0, batch + depth).reduce((product, size) => product * size, 1);
    const blocks = emit.op("Reshape", [input(0), emit.ints([count, ...shape.slice(batch + depth)])], { allowzero: 1 });
    const taken = emit.op("Gather", [blocks, emit.op("Reshape", [places, emit.ints([-1])])]);
    return [emit.op("Reshape", [taken, emit.ints(staticShape(outputTypes[0] ?? taken))], { allowzero: 1 })];
  },
};

/** GatherND's gradient: dY added up into the shape of `data` (whose contents are not read) at `indices`. */
export const gatherNdGrad: Operator = {
  name: "GatherNDGrad",
  domain: "espalier",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { batch_dims: { kind: "int", default: 0 } },
  infer(context) {
    const data = typed(context, 0, floatTypes);
    const dy = typed(context, 2, [data.dtype]);
    const expected = gatheredShape(context);
    if (formatShape(dy.shape) !== formatShape(expected)) context.fail(`dY is ${formatShape(dy.shape)}, but GatherND gives ${formatShape(expected)}`);
    return [data];
  },
  gradient({ emit, input, attributes, gradients: [gradient] }) {
    return [undefined, undefined, gradient && emit.op("GatherND", [gradient, input(1)], { batch_dims: attributes.int("batch_dims") })];
  },
  lower({ emit, input, attributes }) {
    const batch = attributes.int("batch_dims");
    if (batch === 0) return [emit.op("ScatterND", [zerosLike(emit, input(0)), input(1), input(2)], { reduction: "add" })];
    const shape = staticShape(input(0));
    const depth = Number(input(1).shape.at(-1));
    const count = shape.slice(0, batch + depth).reduce((product, size) => product * size, 1);
    const block = shape.slice(batch + depth);
    const places = emit.op("Reshape", [blockPlaces(emit, input(1), { shape, batch }), emit.ints([-1, 1])]);
    const updates = emit.op("Reshape", [input(2), emit.ints([Number(places.shape[0]), ...block])], { allowzero: 1 });
    const zeros = emit.op("Expand", [emit.scalar(0, input(0).dtype), emit.ints([count, ...block])]);
    const sums = emit.op("ScatterND", [zeros, places, updates], { reduction: "add" });
    return [emit.op("Reshape", [sums, emit.ints(shape)], { allowzero: 1 })];
  },
};

function gatheredShape(context: InferContext): readonly Dimension[] {
  const data = context.input(0).shape;
  const indices = typed(context, 1, ["int64"]).shape;
  const batch = context.attributes.int("batch_dims");
  const depth = indices.at(-1) ?? context.fail("indices must have at least one axis");
  if (batch < 0 || batch >= Math.min(data.length, indices.length)) {
    context.fail(`batch_dims ${batch} must be from 0 to ${Math.min(data.length, indices.length) - 1}: both inputs have those axes`);
  }
  if (data.slice(0, batch).some((size, i) => size !== indices[i])) {
    context.fail(`the first ${batch} axes of ${formatShape(data)} and of the indices ${formatShape(indices)} differ`);
  }
  if (depth === "batch" || depth < 1 || depth > data.length - batch) {
    return context.fail(`the last axis of indices is ${depth}: it must be from 1 to ${data.length - batch}, the number of axes it indexes`);
  }
  return [...indices.slice(0, -1), ...data.slice(batch + depth)];
}
