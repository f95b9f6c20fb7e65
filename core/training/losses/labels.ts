import { EspalierError } from "../../errors.ts";
import { formatShape, type Dimension } from "../../graph/graph.ts";
import type { Value } from "../../operators/operator.ts";
import type { DType, Tensor } from "../../tensor.ts";

/** The type of labels. */
export interface LabelType {
  readonly dtype: DType;
  readonly shape: readonly Dimension[];
}

/** Labels in the output's shape: float32 [batch, ...]. @throws GRAPH_SHAPE for an output without rows */
export function labelsLike(output: Value, loss: string): LabelType {
  if (output.shape[0] === "batch") return { dtype: "float32", shape: output.shape };
  throw wrongOutput(output, { loss, wanted: "[batch, ...]" });
}

/** The size of the output's last dimension, at least 1, of [batch, ..., size]. @throws GRAPH_SHAPE */
export function lastSize(output: Value, loss: string): number {
  const size = output.shape.at(-1);
  if (output.shape.length >= 2 && output.shape[0] === "batch" && typeof size === "number") return size;
  throw wrongOutput(output, { loss, wanted: "[batch, ..., units]" });
}

/** The error for an output that a loss cannot read. */
export function wrongOutput(output: Value, { loss, wanted }: { readonly loss: string; readonly wanted: string }): EspalierError {
  return new EspalierError(
    "GRAPH_SHAPE",
    `${loss}: the model's output must be ${wanted}, not ${formatShape(output.shape)}; end it in a layer of that shape, or choose another output`,
    { shape: output.shape },
  );
}

/** Which labels fit, and what to do about one that does not. */
export interface LabelRule {
  readonly fits: (label: number) => boolean;
  /** The sentence's end: "; drop rows without a finite target". */
  readonly mend: (label: number) => string;
  /** Numbers for the error's details. */
  readonly details?: Readonly<Record<string, number>>;
}

/** @param place what to call the batch @throws TARGET_INVALID for the first label that does not fit, with its row */
export function checkLabels(labels: Tensor, place: string, { fits, mend, details }: LabelRule): void {
  const values = labels.data as Float32Array | Int32Array; // the feed's dtype is checked by the run; another typed array compares alike
  const each = values.length / Math.max(1, labels.shape[0] ?? 1);
  for (let i = 0; i < values.length; i++) {
    const label = values[i] as number; // i is below the length
    if (fits(label)) continue;
    const row = Math.floor(i / each);
    const where = each === 1 ? `row ${row}` : `position ${i % each} of row ${row}`;
    throw new EspalierError("TARGET_INVALID", `fit: ${where} of ${place} has label ${label}${mend(label)}`, { row, label, ...details });
  }
}

/** Labels are finite numbers. @throws TARGET_INVALID */
export function checkFinite(labels: Tensor, _units: number, place: string): void {
  checkLabels(labels, place, { fits: Number.isFinite, mend: () => "; drop rows without a finite target" });
}

/** Labels are finite numbers from 0. @throws TARGET_INVALID */
export function checkNotNegative(labels: Tensor, _units: number, place: string): void {
  checkLabels(labels, place, { fits: (label) => label >= 0 && label < Infinity, mend: () => "; this loss is for counts and sizes from 0" });
}

/** Labels are probabilities. @throws TARGET_INVALID */
export function checkProbabilities(labels: Tensor, _units: number, place: string): void {
  checkLabels(labels, place, { fits: (label) => label >= 0 && label <= 1, mend: () => "; labels are probabilities from 0 to 1" });
}

/** Labels are distributions over the last axis. @throws TARGET_INVALID */
export function checkDistributions(labels: Tensor, units: number, place: string): void {
  checkProbabilities(labels, units, place);
  const values = labels.data as Float32Array; // as above
  const each = values.length / Math.max(1, labels.shape[0] ?? 1);
  for (let start = 0; start < values.length; start += units) {
    let sum = 0;
    for (let k = 0; k < units; k++) sum += values[start + k] as number; // a multiple of the units
    if (Math.abs(sum - 1) <= 1e-3) continue;
    const row = Math.floor(start / each);
    throw new EspalierError("TARGET_INVALID", `fit: row ${row} of ${place} has labels that sum to ${sum}; the classes' probabilities sum to 1`, {
      row,
      sum,
    });
  }
}

/** Labels are classes from 0 to `units - 1`, or `ignoreIndex`. @throws TARGET_INVALID */
export function checkClasses(labels: Tensor, units: number, place: string, ignoreIndex?: number): void {
  checkLabels(labels, place, {
    fits: (label) => (label >= 0 && label < units && Number.isInteger(label)) || label === ignoreIndex,
    mend: (label) =>
      label >= units
        ? `, so there are at least ${label + 1} classes, but the model ends in ${units} units; set units to ${label + 1} or check the target column`
        : `; labels are from 0 to ${units - 1}; encode the target's classes first`,
    details: { units },
  });
}

/** @throws ARGUMENT_INVALID for a number outside a loss's range */
export function checkArgument(
  loss: string,
  values: Readonly<Record<string, number>>,
  { fits, range }: { fits: (value: number) => boolean; range: string },
): void {
  for (const [name, value] of Object.entries(values)) {
    if (fits(value) && Number.isFinite(value)) continue;
    throw new EspalierError("ARGUMENT_INVALID", `${loss}: ${name} must be ${range}, not ${value}`, { [name]: value });
  }
}

/** @throws ARGUMENT_INVALID for a smoothing outside [0, 1) or a weight that is not a number from 0 */
export function checkClassArguments(
  loss: string,
  { labelSmoothing = 0, classWeights }: { readonly labelSmoothing?: number; readonly classWeights?: readonly number[] | undefined },
): void {
  checkArgument(loss, { labelSmoothing }, { fits: (value) => value >= 0 && value < 1, range: "from 0 to below 1" });
  if (classWeights?.some((weight) => !(weight >= 0 && Number.isFinite(weight)))) {
    throw new EspalierError("ARGUMENT_INVALID", `${loss}: class weights must be numbers from 0, not [${classWeights.join(", ")}]`, { classWeights });
  }
}

/** @throws ARGUMENT_INVALID when there are not as many weights as units */
export function checkWeightCount(loss: string, classWeights: readonly number[] | undefined, units: number): void {
  if (classWeights === undefined || classWeights.length === units) return;
  throw new EspalierError(
    "ARGUMENT_INVALID",
    `${loss}: ${classWeights.length} class weights, but the model ends in ${units} units; give one a unit`,
    {
      classWeights,
      units,
    },
  );
}
