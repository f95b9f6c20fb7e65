import { EspalierError, type Columns, type Predictions } from "../core/index.ts";

/** The numbers and strings that some rows hold together: what waiting costs in memory. */
export function countValues(rows: Columns): number {
  let count = 0;
  for (const column of rows.columns.values()) count += column.kind === "string" ? column.codes.length : column.values.length;
  return count;
}

/** Answers for the rows of several runs, one after the other. @throws INTERNAL when they are answers to different questions */
export function joinPredictions(parts: readonly Predictions[]): Predictions {
  const [first] = parts;
  if (first === undefined) throw new EspalierError("INTERNAL", "joinPredictions: there is nothing to join");
  if (parts.length === 1) return first;
  if (first.task === "regression") return { ...first, values: concat(Float64Array, ofTask(parts, "regression"), ({ values }) => values) };
  const answers = ofTask(parts, "classification");
  return {
    task: "classification",
    classes: first.classes,
    labels: concat(Int32Array, answers, ({ labels }) => labels),
    probabilities: concat(Float32Array, answers, ({ probabilities }) => probabilities),
  };
}

/** The answers for rows `start` to before `end`, sharing memory. */
export function slicePredictions(predictions: Predictions, start: number, end: number): Predictions {
  if (predictions.task === "regression") {
    const { values, horizon = 1 } = predictions;
    return { ...predictions, values: values.subarray(start * horizon, end * horizon) };
  }
  const width = predictions.classes.length;
  return {
    task: "classification",
    classes: predictions.classes,
    labels: predictions.labels.subarray(start, end),
    probabilities: predictions.probabilities.subarray(start * width, end * width),
  };
}

/** The number of rows answered. */
export function countPredictions(predictions: Predictions): number {
  return predictions.task === "regression" ? predictions.values.length / (predictions.horizon ?? 1) : predictions.labels.length;
}

function ofTask<T extends Predictions["task"]>(parts: readonly Predictions[], task: T): Extract<Predictions, { task: T }>[] {
  return parts.map((part) => {
    if (part.task !== task) throw new EspalierError("INTERNAL", `joinPredictions: one part is ${part.task}, another ${task}`);
    return part as Extract<Predictions, { task: T }>; // its task was compared above
  });
}

type Memory = Float32Array | Float64Array | Int32Array;

function concat<T extends Memory, P>(Kind: new (length: number) => T, parts: readonly P[], pick: (part: P) => T): T {
  const joined = new Kind(parts.reduce((sum, part) => sum + pick(part).length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(pick(part), offset);
    offset += pick(part).length;
  }
  return joined;
}
