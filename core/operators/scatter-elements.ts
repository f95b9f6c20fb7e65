import { formatShape } from "../graph/graph.ts";
import { elementPlaces } from "./flat-index.ts";
import { checkIndices } from "./gather-elements.ts";
import type { Operator, Value } from "./operator.ts";
import { scatterGradients, scatterReductions } from "./scatter-gradients.ts";
import { axisOf, numberTypes, typed } from "./shapes.ts";
import { fromFront, staticShape } from "./static-shape.ts";

/**
 * A copy of `data` into which `updates` are written, each at its own place but along `axis`, where `indices` says it.
 *
 * `reduction` "none" overwrites (no place may be named twice), "add", "mul", "min" and "max" join with what is there.
 * @see https://onnx.ai/onnx/operators/onnx__ScatterElements.html
 */
export const scatterElements: Operator = {
  name: "ScatterElements",
  domain: "",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: 0 }, reduction: { kind: "string", default: "none" } },
  infer(context) {
    const data = typed(context, 0, numberTypes);
    const indices = typed(context, 1, ["int32", "int64"]);
    const updates = typed(context, 2, [data.dtype]);
    const reduction = context.attributes.string("reduction");
    if (!scatterReductions.includes(reduction)) context.fail(`reduction "${reduction}" is not there; use ${scatterReductions.join(", ")}`);
    const axis = axisOf(context, context.attributes.int("axis"), data.shape.length);
    if (formatShape(indices.shape) !== formatShape(updates.shape)) {
      context.fail(`updates must have the shape of indices, ${formatShape(indices.shape)}, not ${formatShape(updates.shape)}`);
    }
    checkIndices(context, { data: data.shape, indices: indices.shape, axis });
    return [data];
  },
  gradient(context) {
    const { emit, input, attributes } = context;
    const axis = attributes.int("axis");
    return scatterGradients(context, {
      scatter: (data, updates, reduction) => emit.op("ScatterElements", [data, input(1), updates], { axis, reduction }),
      gather: (data) => emit.op("GatherElements", [data, input(1)], { axis }),
    });
  },
  lower({ emit, input, attributes }) {
    const shape = staticShape(input(0));
    const places = elementPlaces(emit, input(1), { shape, axis: fromFront(attributes.int("axis"), shape.length) });
    const flat = (value: Value): Value => emit.op("Reshape", [value, emit.ints([-1])]);
    const target = emit.op("Reshape", [places, emit.ints([-1, 1])]);
    const result = emit.op("ScatterND", [flat(input(0)), target, flat(input(2))], { reduction: attributes.string("reduction") });
    return [emit.op("Reshape", [result, emit.ints(shape)])];
  },
};
