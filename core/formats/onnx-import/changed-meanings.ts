import { dtypeCodes } from "../../operators/cast.ts";
import type { Adaptation } from "./adaptation.ts";
import { intOf, requiredInput } from "./attribute-access.ts";

/** Before opset 13, the softmax family worked on everything from `axis` (1 when left out) on as on one row. */
const overTheRest: Adaptation = {
  before: 13,
  adapt(node, context) {
    const x = requiredInput(node, 0, context);
    const { emit } = context;
    const given = intOf(node, "axis", 1);
    const axis = given < 0 ? given + x.shape.length : given;
    if (axis === x.shape.length - 1) return { ...node, attributes: { axis: { kind: "int", value: -1 } } };
    const rows = emit.op("Flatten", [x], { axis });
    return [emit.op("Reshape", [emit.op(node.operator, [rows], { axis: -1 }), emit.op("Shape", [x])])];
  },
};

/** Of bools, the largest is whether any is true and the smallest whether all are: the same of 0 and 1. */
const ofBools: Adaptation = {
  adapt(node, context) {
    const x = requiredInput(node, 0, context);
    if (x.dtype !== "bool") return node;
    const { emit } = context;
    const numbers = emit.op("Cast", [x], { to: dtypeCodes.int32 });
    const attributes = { keepdims: intOf(node, "keepdims", 1), noop_with_empty_axes: intOf(node, "noop_with_empty_axes", 0) };
    return [emit.op("Cast", [emit.op(node.operator, [numbers, ...node.inputs.slice(1)], attributes)], { to: dtypeCodes.bool })];
  },
};

/** Operators whose inputs or attributes kept their form and changed their meaning. */
export const meaningAdaptations: Readonly<Record<string, readonly Adaptation[]>> = {
  ReduceMax: [ofBools],
  ReduceMin: [ofBools],
  Softmax: [overTheRest],
  LogSoftmax: [overTheRest],
  Hardmax: [overTheRest],
  GroupNormalization: [
    {
      before: 21,
      // Scale and bias were one number a group; now they are one a channel.
      adapt(node, context) {
        const { emit, refuse } = context;
        const channels = requiredInput(node, 0, context).shape[1];
        const groups = intOf(node, "num_groups", 1);
        if (typeof channels !== "number" || channels % groups !== 0) return refuse(`${channels} channels do not make ${groups} groups`);
        const inputs = node.inputs.map((input, i) => {
          if (input === undefined || i === 0) return input;
          const columns = emit.op("Expand", [emit.op("Unsqueeze", [input, emit.ints([1])]), emit.ints([groups, channels / groups])]);
          return emit.op("Reshape", [columns, emit.ints([channels])]);
        });
        return { ...node, inputs };
      },
    },
  ],
};
