import type { Operator } from "./operator.ts";
import { floatTypes, typed } from "./shapes.ts";

/**
 * Marks a value whose size is penalised in training: the value as it is. Training graphs add the penalty that the attributes describe, those of a
 * regulariser, divided by the rows of the batch, to their loss.
 *
 * @see https://keras.io/api/layers/regularization_layers/activity_regularization/
 */
export const activityRegularization: Operator = {
  name: "ActivityRegularization",
  domain: "espalier",
  inputs: [1, 1],
  outputs: [1, 1],
  isDistinct: true,
  attributes: {
    kind: { kind: "string", required: true },
    l1: { kind: "float" },
    l2: { kind: "float" },
    factor: { kind: "float" },
    mode: { kind: "string" },
  },
  infer(context) {
    const x = typed(context, 0, floatTypes);
    if (x.shape[0] !== "batch" && !(Number(x.shape[0]) > 0)) context.fail("a penalty is divided by the rows of the batch; it needs a first axis");
    const isOfColumns = context.attributes.has("mode") && context.attributes.string("mode") === "columns";
    if (context.attributes.string("kind") === "orthogonal" && !(isOfColumns && x.shape.length === 2)) {
      context.fail('the regularizer "orthogonal" needs [batch, units] and mode "columns": a batch has no fixed number of rows');
    }
    return [x];
  },
  gradient: ({ gradients }) => [gradients[0]],
  lower: ({ emit, input }) => [emit.op("Identity", [input(0)])],
};
