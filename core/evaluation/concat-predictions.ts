import { EspalierError } from "../errors.ts";
import type { Predictions } from "../predictor.ts";

/** Answers for several pieces of a table as one. @returns undefined for none @throws ARGUMENT_INVALID for answers of two tasks */
export function concatPredictions(parts: readonly Predictions[]): Predictions | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  if (first.task === "regression") {
    const pieces = parts.map((part) => (part.task === "regression" ? part.values : mixed()));
    const { horizon } = first;
    return { task: "regression", ...(horizon !== undefined && { horizon }), values: joined(pieces, (length) => new Float64Array(length)) };
  }
  const pieces = parts.map((part) => (part.task === "classification" ? part : mixed()));
  return {
    task: "classification",
    classes: first.classes,
    labels: joined(
      pieces.map(({ labels }) => labels),
      (length) => new Int32Array(length),
    ),
    probabilities: joined(
      pieces.map(({ probabilities }) => probabilities),
      (length) => new Float32Array(length),
    ),
  };
}

function joined<T extends Float64Array | Float32Array | Int32Array>(pieces: readonly T[], allocate: (length: number) => T): T {
  const all = allocate(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function mixed(): never {
  throw new EspalierError("ARGUMENT_INVALID", "predictions of a classification and of a regression cannot be joined");
}
