import { findOperator, readAttributes, type Node } from "../../../core/index.ts";
import { planDepthwiseConv } from "../kernels/depthwise-conv.ts";
import { planNormalizedWeightGrad } from "../kernels/direct-weight-grad.ts";
import type { Fused, Fusion, FusionContext } from "./fusion.ts";
import { normalizedInput } from "./normalized-input.ts";

/**
 * A depthwise convolution of what was normalised and activated, and the statistics of its result: it normalises as it reads, so that nobody writes what it
 * would read, and takes the statistics while its result is in the cache.
 */
export const normalizedDepthwise: Fusion = {
  name: "BatchNormalization, Relu or Clip, depthwise Conv, BatchMoments",
  match(node, context) {
    if (node.operator === "BatchMoments") return fuse(context.producer(node.inputs[0], "Conv"), node, context);
    return node.operator === "Conv" ? fuse(node, undefined, context) : undefined;
  },
};

function fuse(conv: Node | undefined, moments: Node | undefined, context: FusionContext): Fused | undefined {
  const operator = findOperator("Conv");
  if (conv === undefined || operator === undefined || conv.inputs.length > 2) return undefined;
  const [x = "", weights = ""] = conv.inputs;
  const found = normalizedInput(x, context);
  const isRead = context.readers(conv.outputs[0] ?? "").some((reader) => moments !== undefined && context.isBefore(reader, moments));
  if ((found === undefined && moments === undefined) || isRead || context.graph.constants[weights] !== undefined) return undefined;
  const attributes = readAttributes(operator, conv.name, conv.attributes);
  return {
    inputs: [found?.x ?? x, weights, ...(found?.statistics ?? [])],
    outputs: [...conv.outputs, ...(moments?.outputs ?? [])],
    plan({ inputs }) {
      return planDepthwiseConv({ attributes, inputs }, { hasMoments: moments !== undefined, ...(found && { normalization: found.options }) });
    },
  };
}

/** The same for the gradient by the weights, of the same input. */
export const normalizedWeightGrad: Fusion = {
  name: "BatchNormalization, Relu or Clip, depthwise ConvWeightGrad",
  match(node, context) {
    const [x, dy = ""] = node.inputs;
    const operator = findOperator("ConvWeightGrad");
    const found = node.operator === "ConvWeightGrad" ? normalizedInput(x, context) : undefined;
    if (found === undefined || operator === undefined) return undefined;
    const attributes = readAttributes(operator, node.name, node.attributes);
    const isDepthwise = attributes.int("group") === context.graph.values[found.x]?.shape[1];
    if (!isDepthwise) return undefined; // other convolutions read what was written
    return {
      inputs: [found.x, dy, ...found.statistics],
      outputs: node.outputs,
      plan: ({ inputs }) => planNormalizedWeightGrad({ attributes, inputs }, found.options),
    };
  },
};
