import { batchMoments } from "./batch-moments.ts";
import { batchNormalizationGrad } from "./batch-normalization-grad.ts";
import { depthwiseConv, depthwiseInputGrad } from "./depthwise-conv.ts";
import { directWeightGrad } from "./direct-weight-grad.ts";
import { gatherGrad } from "./gather-grad.ts";
import { maxPoolGrad } from "./max-pool-grad.ts";
import type { HostKernel, KernelPlan, KernelUse } from "./host-kernel.ts";
import { layerNormalizationGrad } from "./layer-normalization-grad.ts";

/** Kernels of our own, by operator. Adding one is one file and one line here. */
const table: readonly HostKernel[] = [
  batchMoments,
  batchNormalizationGrad,
  depthwiseConv,
  depthwiseInputGrad,
  directWeightGrad,
  gatherGrad,
  layerNormalizationGrad,
  maxPoolGrad,
];

/** How a node is computed by a kernel of our own, or undefined when there is none for this use. Tensors without elements have none: they may have no address. */
export function planKernel(operator: string, use: KernelUse): KernelPlan | undefined {
  if (use.inputs.some((type) => type?.shape.includes(0))) return undefined;
  return table.find((kernel) => kernel.operator === operator)?.plan(use);
}

export { type HostKernel, type KernelPlan, type KernelType, type KernelUse } from "./host-kernel.ts";
