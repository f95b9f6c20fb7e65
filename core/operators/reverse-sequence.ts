import { formatShape } from "../graph/graph.ts";
import { broadcastTo } from "./gradients.ts";
import type { Operator } from "./operator.ts";
import { axisOf, movableTypes, typed } from "./shapes.ts";
import { fromFront, positionsAlong, range } from "./static-shape.ts";

/**
 * Each sequence's first `sequence_lens` (input 1, one for each place of `batch_axis`) elements along `time_axis` turned round, the rest as it is.
 *
 * @see https://onnx.ai/onnx/operators/onnx__ReverseSequence.html
 */
export const reverseSequence: Operator = {
  name: "ReverseSequence",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { batch_axis: { kind: "int", default: 1 }, time_axis: { kind: "int", default: 0 } },
  infer(context) {
    const x = typed(context, 0, movableTypes);
    const lengths = typed(context, 1, ["int64"]);
    const batch = axisOf(context, context.attributes.int("batch_axis"), x.shape.length);
    const time = axisOf(context, context.attributes.int("time_axis"), x.shape.length);
    if (batch === time) context.fail(`batch_axis and time_axis are both ${batch}`);
    if (x.shape[time] === "batch") context.fail("time_axis cannot be the batch dimension");
    if (lengths.shape.length !== 1 || lengths.shape[0] !== x.shape[batch]) {
      context.fail(`sequence_lens must be [${x.shape[batch]}], one for each sequence, not ${formatShape(lengths.shape)}`);
    }
    return [x];
  },
  gradient({ emit, input, attributes, gradients: [dy] }) {
    const options = { batch_axis: attributes.int("batch_axis"), time_axis: attributes.int("time_axis") };
    return [dy && emit.op("ReverseSequence", [dy, input(1)], options)];
  },
  lower({ emit, input, attributes }) {
    const x = input(0);
    const rank = x.shape.length;
    const batch = fromFront(attributes.int("batch_axis"), rank);
    const time = fromFront(attributes.int("time_axis"), rank);
    const lengths = emit.op("Unsqueeze", [input(1), emit.ints(range(rank).filter((axis) => axis !== batch))]);
    const at = positionsAlong(emit, { axis: time, size: Number(x.shape[time]), rank });
    const turned = emit.op("Sub", [emit.op("Sub", [lengths, emit.scalar(1, "int64")]), at]);
    const places = emit.op("Where", [emit.op("Less", [at, lengths]), turned, at]);
    return [emit.op("GatherElements", [x, broadcastTo(emit, places, x)], { axis: time })];
  },
};
