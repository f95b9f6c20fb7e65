import type { Constraint } from "../training/constraint.ts";
import type { Regularizer } from "../training/regularizer.ts";

/** What training must know of one state value besides its type: plain data. */
export interface ParameterTraining {
  /** Training leaves it as it is; a frozen running statistic keeps its normalisation in prediction's form. */
  readonly frozen?: boolean;
  /** Its penalty is added to the training loss. */
  readonly regularizer?: Regularizer;
  /** Applied to the parameter after every update. */
  readonly constraint?: Constraint;
}
