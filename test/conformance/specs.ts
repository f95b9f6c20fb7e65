import { attentionSpecs } from "./cases/attention.ts";
import { binarySpecs, comparisonSpecs, unarySpecs } from "./cases/elementwise.ts";
import { linearSpecs } from "./cases/linear.ts";
import { movementSpecs } from "./cases/movement.ts";
import { normalizationSpecs } from "./cases/normalizations.ts";
import { optimizerSpecs } from "./cases/optimizers.ts";
import { recurrentSpecs } from "./cases/recurrent.ts";
import { reductionSpecs } from "./cases/reductions.ts";
import { convSpecs, poolSpecs } from "./cases/windows.ts";
import type { OperatorSpec } from "./operator-spec.ts";

/** Every application of an operator that is tried out on every backend. */
export const operatorSpecs: readonly OperatorSpec[] = [
  ...unarySpecs,
  ...binarySpecs,
  ...comparisonSpecs,
  ...linearSpecs,
  ...convSpecs,
  ...poolSpecs,
  ...recurrentSpecs,
  ...reductionSpecs,
  ...movementSpecs,
  ...attentionSpecs,
  ...normalizationSpecs,
  ...optimizerSpecs,
];
