import { alongChannels, typedWithChannels } from "./channels.ts";
import { reshape } from "./gradients.ts";
import type { LowerContext, Operator, Value } from "./operator.ts";
import { staticSizes } from "./shapes.ts";
import { standardize } from "./standardize.ts";
import { lowerInFloat32 } from "./stash.ts";

/**
 * (X - mean) / sqrt(variance + epsilon) * scale + bias over `num_groups` groups of the channels of X [batch, C, ...]; scale and bias are [C].
 *
 * Its gradient goes through its lowering.
 * @see https://onnx.ai/onnx/operators/onnx__GroupNormalization.html
 * @see Y. Wu and K. He, Group normalization (2018)
 */
export const groupNormalization: Operator = {
  name: "GroupNormalization",
  domain: "",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: {
    num_groups: { kind: "int", required: true },
    epsilon: { kind: "float", default: 1e-5 },
    stash_type: { kind: "int", default: 1 },
  },
  infer(context) {
    const x = typedWithChannels(context, ["scale", "bias"]);
    const groups = context.attributes.int("num_groups");
    const [channels = 1] = staticSizes(context, x.shape.slice(1, 2), "the channel axis");
    if (context.attributes.int("stash_type") !== 1) context.fail(`stash_type ${context.attributes.int("stash_type")} is not 1 (float)`);
    if (groups < 1 || channels % groups !== 0) context.fail(`${channels} channels do not divide into num_groups ${groups}`);
    staticSizes(context, x.shape.slice(2), "a spatial axis");
    return [x];
  },
  lower: lowerInFloat32((context) => {
    const { emit, input, attributes } = context;
    const [batch = 1, channels = 1, ...spatial] = input(0).shape;
    const groups = attributes.int("num_groups");
    const grouped = reshape(emit, input(0), [batch, groups, Number(channels) / groups, ...spatial]);
    const { centred, inverse } = standardize(emit, grouped, { axes: [...grouped.shape.keys()].slice(2), epsilon: attributes.float("epsilon") });
    return [scaledByChannel(context, reshape(emit, emit.op("Mul", [centred, inverse]), input(0).shape))];
  }),
};

/** Times scale plus bias, inputs 1 and 2, one number a channel. */
export function scaledByChannel({ emit, input }: LowerContext, normal: Value): Value {
  return emit.op("Add", [emit.op("Mul", [normal, alongChannels(emit, input(1), normal)]), alongChannels(emit, input(2), normal)]);
}
