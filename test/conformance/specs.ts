import { attentionSpecs } from "./cases/attention.ts";
import { arrangementSpecs, resizeSpecs } from "./cases/arrangements.ts";
import { einsumSpecs } from "./cases/einsum.ts";
import { activationSpecs, functionSpecs, severalSpecs } from "./cases/functions.ts";
import { emptySpecs } from "./cases/empties.ts";
import { indexingSpecs } from "./cases/indexing.ts";
import { normSpecs } from "./cases/norms.ts";
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
  ...functionSpecs,
  ...activationSpecs,
  ...severalSpecs,
  ...normSpecs,
  ...indexingSpecs,
  ...arrangementSpecs,
  ...resizeSpecs,
  ...einsumSpecs,
  ...emptySpecs,
  ...optimizerSpecs,
];
