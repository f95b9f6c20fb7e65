import { formatShape } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { scatterGradients, scatterReductions } from "./scatter-gradients.ts";
import { numberTypes, typed } from "./shapes.ts";

/**
 * A copy of `data` with `updates` written (`reduction` "none") or joined ("add", "mul", "min", "max") at the places in `indices`.
 *
 * The last axis of `indices` [..., q] indexes the first q axes of `data`; updates are [..., rest of data's shape]. With "none" no
 * place may be named twice.
 * @see https://onnx.ai/onnx/operators/onnx__ScatterND.html
 */
export const scatterNd: Operator = {
  name: "ScatterND",
  domain: "",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { reduction: { kind: "string", default: "none" } },
  infer(context) {
    const data = typed(context, 0, numberTypes);
    const indices = typed(context, 1, ["int64"]);
    const updates = typed(context, 2, [data.dtype]);
    const reduction = context.attributes.string("reduction");
    if (!scatterReductions.includes(reduction)) context.fail(`reduction "${reduction}" is not there; use ${scatterReductions.join(", ")}`);
    const depth = indices.shape.at(-1) ?? context.fail("indices must have at least one axis");
    if (depth === "batch" || depth < 1 || depth > data.shape.length) {
      return context.fail(`the last axis of indices is ${depth}: it must be from 1 to ${data.shape.length}, the number of axes it indexes`);
    }
    const expected = [...indices.shape.slice(0, -1), ...data.shape.slice(depth)];
    if (formatShape(updates.shape) !== formatShape(expected))
      context.fail(`updates must be ${formatShape(expected)}, not ${formatShape(updates.shape)}`);
    return [data];
  },
  gradient(context) {
    const { emit, input } = context;
    const indices = input(1);
    return scatterGradients(context, {
      scatter: (data, updates, reduction) => emit.op("ScatterND", [data, indices, updates], { reduction }),
      gather: (data) =>
        indices.shape.at(-1) === 1 ? emit.op("Gather", [data, emit.op("Squeeze", [indices, emit.ints([-1])])]) : emit.op("GatherND", [data, indices]),
    });
  },
};
