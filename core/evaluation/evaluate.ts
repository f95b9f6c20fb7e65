import type { Columns } from "../columns.ts";
import { concatPredictions } from "./concat-predictions.ts";
import { classificationMetrics } from "./classification.ts";
import { regressionMetrics } from "./regression.ts";
import { EspalierError } from "../errors.ts";
import type { FittedTarget } from "../features/features.ts";
import { encodeTarget, targetValues } from "../features/target.ts";
import type { Predictions } from "../predictor.ts";

/** Numbers by name: `accuracy`, `logLoss`, and `auc` for two classes or `macroF1` for more; or `rmse`, `mae`, `r2`. */
export type Metrics = Readonly<Record<string, number>>;

/** Answers, and the rows that they are about. */
export interface Evaluated {
  /** One after the other, together as many as there are rows. */
  readonly predictions: Predictions | readonly Predictions[];
  /** At least the target's column. */
  readonly columns: Columns;
}

/**
 * How good predictions are on rows whose target is known.
 *
 * A metric that the rows do not define is left out: `auc` when one class is absent, `r2` when all values are equal.
 *
 * @throws DATA_EMPTY without rows; TARGET_INVALID for a missing target or an unknown class, with the row; TENSOR_INVALID when answers and rows differ in number
 */
export function evaluatePredictions(target: FittedTarget, { predictions, columns }: Evaluated): Metrics {
  const answers = concatPredictions(Array.isArray(predictions) ? (predictions as readonly Predictions[]) : [predictions as Predictions]); // Array.isArray does not narrow readonly arrays
  const count = answers?.task === "regression" ? answers.values.length / (answers.horizon ?? 1) : (answers?.labels.length ?? 0);
  if (columns.length === 0 || answers === undefined) throw new EspalierError("DATA_EMPTY", "there are no rows to evaluate on");
  if (count !== columns.length)
    throw new EspalierError("TENSOR_INVALID", `${count} predictions for ${columns.length} rows`, { predictions: count, rows: columns.length });
  if (answers.task === "regression") return regressionMetrics(answers.values, targetValues(target, columns));
  return classificationMetrics(answers, encodeTarget(target, columns).data as Int32Array); // the task's labels are int32
}
