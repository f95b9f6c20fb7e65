import { typedWithChannels } from "./channels.ts";
import { scaledByChannel } from "./group-normalization.ts";
import type { Operator } from "./operator.ts";
import { axesOf, floatTypes, staticSizes, typed } from "./shapes.ts";
import { standardize } from "./standardize.ts";

/**
 * (X - mean) / sqrt(variance + epsilon) * scale + B, each channel of each row of X [batch, C, ...spatial] by itself; scale and B are [C].
 *
 * Its gradient goes through its lowering.
 * @see https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html
 */
export const instanceNormalization: Operator = {
  name: "InstanceNormalization",
  domain: "",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { epsilon: { kind: "float", default: 1e-5 } },
  infer(context) {
    const x = typedWithChannels(context, ["scale", "B"]);
    if (x.shape.length < 3) context.fail(`needs [batch, channels, ...spatial], not rank ${x.shape.length}`);
    staticSizes(context, x.shape.slice(2), "a spatial axis");
    return [x];
  },
  lower(context) {
    const { emit, input, attributes } = context;
    const axes = [...input(0).shape.keys()].slice(2);
    const { centred, inverse } = standardize(emit, input(0), { axes, epsilon: attributes.float("epsilon") });
    return [scaledByChannel(context, emit.op("Mul", [centred, inverse]))];
  },
};

/**
 * (X - mean) / (deviation + 1e-9) over `axes`. Its gradient goes through its lowering; where all elements are equal, the deviation counts as constant.
 *
 * @see https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html
 */
export const meanVarianceNormalization: Operator = {
  name: "MeanVarianceNormalization",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axes: { kind: "ints", default: [0, 2, 3] } },
  infer(context) {
    const x = typed(context, 0, floatTypes);
    axesOf(context, context.attributes.ints("axes"), x.shape.length);
    return [x];
  },
  lower({ emit, input, attributes }) {
    const rank = input(0).shape.length;
    const axes = attributes.ints("axes").map((axis) => (axis < 0 ? axis + rank : axis));
    const { centred, variance } = standardize(emit, input(0), { axes, epsilon: 0 });
    // Away from 0, where the root has no slope: its own is far below what is added to it.
    const deviation = emit.op("Sqrt", [emit.op("Max", [variance, emit.scalar(1e-36, variance.dtype)])]);
    return [emit.op("Div", [centred, emit.op("Add", [deviation, emit.scalar(1e-9, variance.dtype)])])];
  },
};
