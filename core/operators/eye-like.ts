import { dtypeCodes, dtypeOfCode } from "./cast.ts";
import { formatShape } from "../graph/graph.ts";
import type { InferContext, Operator } from "./operator.ts";
import { movableTypes, typed } from "./shapes.ts";
import { positionsAlong, staticShape } from "./static-shape.ts";

/** A matrix of the input's shape with ones on the diagonal `k` above the main one. @see https://onnx.ai/onnx/operators/onnx__EyeLike.html */
export const eyeLike: Operator = {
  name: "EyeLike",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { dtype: { kind: "int" }, k: { kind: "int", default: 0 } },
  infer(context) {
    const { dtype, shape } = typed(context, 0, movableTypes);
    if (shape.length !== 2) context.fail(`the input must be a matrix, not ${formatShape(shape)}`);
    return [{ dtype: context.attributes.has("dtype") ? namedType(context) : dtype, shape }];
  },
  gradient: () => [],
  lower({ emit, input, attributes, outputTypes }) {
    const [rows = 0, columns = 0] = staticShape(input(0));
    const row = positionsAlong(emit, { axis: 0, size: rows, rank: 2 });
    const column = positionsAlong(emit, { axis: 1, size: columns, rank: 2 });
    const diagonal = emit.op("Equal", [emit.op("Add", [row, emit.scalar(attributes.int("k"), "int64")]), column]);
    return [emit.op("Cast", [diagonal], { to: dtypeCodes[outputTypes[0]?.dtype ?? "float32"] })];
  },
};

function namedType({ attributes, fail }: InferContext): (typeof movableTypes)[number] {
  const dtype = dtypeOfCode(attributes.int("dtype"));
  return dtype === undefined || dtype === "string" ? fail(`element type ${attributes.int("dtype")} of ONNX is not there`) : dtype;
}
