import { EspalierError, type Columns, type FittedTarget, type Manifest, type Predictions } from "../core/index.ts";
import type { ServerLimits } from "./limits.ts";
import type { ServedModel } from "./registry.ts";

/**
 * Answers one request's rows, in a batch with others that wait.
 *
 * @throws REQUEST_INVALID for too many rows, none, or values so far out that the model's answer is not a number; else as the batcher
 */
export async function answerRows(
  model: ServedModel,
  rows: Columns,
  { limits, signal }: { limits: ServerLimits; signal: AbortSignal },
): Promise<Predictions> {
  if (rows.length === 0) throw new EspalierError("REQUEST_INVALID", "the request has no rows; send at least one");
  if (rows.length > limits.maxRows) {
    throw new EspalierError("REQUEST_INVALID", `the request has ${rows.length} rows, the limit is ${limits.maxRows}; send several requests`, {
      rows: rows.length,
    });
  }
  const answers = await model.batcher.predict(rows, { signal });
  const row = firstBadRow(answers);
  if (row >= 0) throw notFinite(row, rows, model.manifest);
  return answers;
}

/** What a row is answered with: a class's name, or its number when the target column held numbers; for regression the value, of a forecast `horizon` values a row. */
export function predictionValues(predictions: Predictions, target: FittedTarget): readonly (string | number)[] {
  if (predictions.task === "regression") return Array.from(predictions.values);
  const classes = classValues(predictions.classes, target);
  return Array.from(predictions.labels, (label) => classes[label] ?? "");
}

/** A forecast's values, a list for each row. */
export function forecastRows({ values, horizon = 1 }: Extract<Predictions, { task: "regression" }>): readonly (readonly number[])[] {
  return Array.from({ length: values.length / horizon }, (_, row) => Array.from(values.subarray(row * horizon, (row + 1) * horizon)));
}

/** Classes as they stood in the target column: numbers when it held numbers. */
export function classValues(classes: readonly string[], target: FittedTarget): readonly (string | number)[] {
  return target.task === "classification" && target.numeric ? classes.map(Number) : classes;
}

/** The probabilities of one row, in class order. */
export function rowProbabilities(predictions: Extract<Predictions, { task: "classification" }>, row: number): number[] {
  const width = predictions.classes.length;
  return Array.from(predictions.probabilities.subarray(row * width, (row + 1) * width));
}

function firstBadRow(predictions: Predictions): number {
  if (predictions.task === "regression") {
    const place = predictions.values.findIndex((value) => !Number.isFinite(value));
    return place < 0 ? -1 : Math.floor(place / (predictions.horizon ?? 1));
  }
  const bad = predictions.probabilities.findIndex((value) => !Number.isFinite(value));
  return bad < 0 ? -1 : Math.floor(bad / predictions.classes.length);
}

/** Weights are finite, as the warm-up has shown: a value beyond anything that training saw is to blame, and the farthest one is named. */
function notFinite(row: number, rows: Columns, { inputs }: Manifest): EspalierError {
  let farthest = { distance: 0, hint: "" };
  for (const { name, range } of inputs) {
    const column = rows.columns.get(name);
    if (column?.kind !== "number") continue;
    const value = column.values[row] ?? Number.NaN;
    const [minimum, maximum] = range ?? [0, 0];
    const distance = Math.max(minimum - value, value - maximum) / (maximum - minimum || 1);
    if (distance > farthest.distance) farthest = { distance, hint: `: "${name}" is ${value}, in training it was from ${minimum} to ${maximum}` };
  }
  return new EspalierError(
    "REQUEST_INVALID",
    `row ${row}: the model's answer is not a finite number${farthest.hint}; send values nearer to those of training`,
    { row },
  );
}
