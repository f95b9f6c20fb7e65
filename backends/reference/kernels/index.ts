import type { KernelFactory } from "../kernel.ts";
import { attentionKernels } from "./attention.ts";
import { batchNormalizationKernels } from "./batch-normalization.ts";
import { activationKernels } from "./activations.ts";
import { arrangementKernels } from "./arrangements.ts";
import { binaryKernels } from "./binary.ts";
import { convKernels } from "./conv.ts";
import { crossEntropyKernels } from "./cross-entropy.ts";
import { elementwiseOptimizerKernels } from "./elementwise-optimizers.ts";
import { einsumKernels } from "./einsum.ts";
import { gatherKernels } from "./gather.ts";
import { lineKernels } from "./lines.ts";
import { matMulKernels } from "./matmul.ts";
import { noiseKernels } from "./noise.ts";
import { normalizationKernels } from "./normalizations.ts";
import { optimizerKernels } from "./optimizers.ts";
import { pieceKernels } from "./pieces.ts";
import { poolKernels } from "./pool.ts";
import { recurrentKernels } from "./recurrent.ts";
import { reductionKernels } from "./reductions.ts";
import { resizeKernels } from "./resize.ts";
import { scatterKernels } from "./scatter.ts";
import { selectionKernels } from "./selection.ts";
import { shapeKernels } from "./shape.ts";
import { softmaxKernels } from "./softmax.ts";
import { trigonometryKernels } from "./trigonometry.ts";
import { unaryKernels } from "./unary.ts";

/** Every kernel by its operator's name. Adding a family is one file and one line here. */
export const kernels: Readonly<Record<string, KernelFactory>> = {
  ...attentionKernels,
  ...batchNormalizationKernels,
  ...activationKernels,
  ...arrangementKernels,
  ...binaryKernels,
  ...convKernels,
  ...crossEntropyKernels,
  ...elementwiseOptimizerKernels,
  ...einsumKernels,
  ...gatherKernels,
  ...lineKernels,
  ...matMulKernels,
  ...noiseKernels,
  ...normalizationKernels,
  ...optimizerKernels,
  ...pieceKernels,
  ...poolKernels,
  ...recurrentKernels,
  ...reductionKernels,
  ...resizeKernels,
  ...scatterKernels,
  ...selectionKernels,
  ...shapeKernels,
  ...softmaxKernels,
  ...trigonometryKernels,
  ...unaryKernels,
};
