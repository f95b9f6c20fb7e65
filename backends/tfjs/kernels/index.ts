import type { OperatorUse } from "../../../core/index.ts";
import { convolutions } from "./convolutions.ts";
import { elementwise } from "./elementwise.ts";
import { gathering } from "./gather.ts";
import type { Kernels } from "./kernel.ts";
import { losses } from "./losses.ts";
import { matrices } from "./matrices.ts";
import { optimizers } from "./optimizers.ts";
import { pooling } from "./pooling.ts";
import { reductions } from "./reductions.ts";
import { shapes } from "./shapes.ts";

/** Every operator that TensorFlow.js runs here; others are lowered or refused. */
export const kernels: Kernels = {
  ...elementwise,
  ...reductions,
  ...shapes,
  ...matrices,
  ...convolutions,
  ...pooling,
  ...gathering,
  ...losses,
  ...optimizers,
};

/** Whether there is a kernel for this use of an operator. */
export function supports(operator: string, use: OperatorUse): boolean {
  const kernel = Object.hasOwn(kernels, operator) ? kernels[operator] : undefined;
  return kernel !== undefined && kernel.takes?.(use) !== false;
}
