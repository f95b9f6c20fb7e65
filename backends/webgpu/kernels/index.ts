import type { OperatorUse } from "../../../core/index.ts";
import type { Kernel } from "../kernel.ts";
import { concatKernels } from "./concat.ts";
import { convKernels } from "./conv.ts";
import { crossEntropyKernels } from "./cross-entropy.ts";
import type { ElementRule } from "./element-rule.ts";
import { elementwiseRules } from "./elementwise.ts";
import { matmulKernels } from "./matmul.ts";
import { movementRules } from "./movement.ts";
import { optimizerKernels } from "./optimizers.ts";
import { poolKernels } from "./pools.ts";
import { reductionKernels } from "./reductions.ts";
import { scatterKernels } from "./scatter.ts";
import { softmaxKernels } from "./softmax.ts";

/** Operators whose elements are expressions: they are fused with each other and behind products. */
export const elementRules: Readonly<Record<string, ElementRule>> = { ...elementwiseRules, ...movementRules };

/** Operators with dispatches of their own. */
export const kernels: Readonly<Record<string, Kernel>> = {
  ...concatKernels,
  ...convKernels,
  ...crossEntropyKernels,
  ...matmulKernels,
  ...optimizerKernels,
  ...poolKernels,
  ...reductionKernels,
  ...scatterKernels,
  ...softmaxKernels,
};

/** Kernels that hand their result to elementwise operators behind them. */
export const headOperators: ReadonlySet<string> = new Set([...Object.keys(matmulKernels), ...Object.keys(convKernels)]);

/** Operators that are another view of their input's memory, or known when a plan is made. */
const freeOperators: readonly string[] = ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Shape"];

/** Every operator that the engine runs, some of them only in part. */
export const supportedOperators: ReadonlySet<string> = new Set([...Object.keys(elementRules), ...Object.keys(kernels), ...freeOperators]);

/** Whether the engine has a kernel for this use of an operator. */
export function supports(operator: string, { attributes }: OperatorUse): boolean {
  return supportedOperators.has(operator) && (operator !== "Pad" || attributes.string("mode") === "constant");
}
