import { formatShape, type Dimension } from "../graph/graph.ts";
import { zerosLike } from "./gradients.ts";
import { elementPlaces } from "./flat-index.ts";
import type { InferContext, Operator } from "./operator.ts";
import { axisOf, movableTypes, typed } from "./shapes.ts";
import { fromFront, staticShape } from "./static-shape.ts";

/**
 * Elements of `data`, each at its own place but along `axis`, where `indices` says it (negative ones count from the end).
 *
 * The result has the shape of `indices`, which has the rank of `data` and is nowhere larger outside the axis.
 * @see https://onnx.ai/onnx/operators/onnx__GatherElements.html
 */
export const gatherElements: Operator = {
  name: "GatherElements",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: 0 } },
  infer(context) {
    const data = typed(context, 0, movableTypes);
    const indices = typed(context, 1, ["int32", "int64"]);
    const axis = axisOf(context, context.attributes.int("axis"), data.shape.length);
    checkIndices(context, { data: data.shape, indices: indices.shape, axis });
    return [{ dtype: data.dtype, shape: indices.shape }];
  },
  gradient({ emit, input, attributes, gradients: [dy] }) {
    const options = { axis: attributes.int("axis"), reduction: "add" };
    return [dy && emit.op("ScatterElements", [zerosLike(emit, input(0)), input(1), dy], options)];
  },
  lower({ emit, input, attributes }) {
    const shape = staticShape(input(0));
    const places = elementPlaces(emit, input(1), { shape, axis: fromFront(attributes.int("axis"), shape.length) });
    return [emit.op("Gather", [emit.op("Reshape", [input(0), emit.ints([-1])]), places])];
  },
};

/** Refuses indices of another rank than the data's, or larger than the data outside the axis. @throws GRAPH_SHAPE */
export function checkIndices(
  context: InferContext,
  { data, indices, axis }: { readonly data: readonly Dimension[]; readonly indices: readonly Dimension[]; readonly axis: number },
): void {
  if (indices.length !== data.length) context.fail(`indices ${formatShape(indices)} must have the rank of the data, ${data.length}`);
  indices.forEach((size, i) => {
    const most = data[i] ?? 1;
    const fits = size === most || (size !== "batch" && most !== "batch" && size <= most);
    if (i !== axis && !fits) context.fail(`indices ${formatShape(indices)} are larger than the data ${formatShape(data)} outside axis ${axis}`);
  });
}
