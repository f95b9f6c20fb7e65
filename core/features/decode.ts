import { EspalierError } from "../errors.ts";
import type { Predictions } from "../predictor.ts";
import type { Tensors } from "../tensor.ts";
import type { FittedTarget } from "./features.ts";
import { decodeQuantities } from "./target.ts";

/**
 * A graph's outputs as answers: the softmax of `logits` [rows, classes], or `prediction` [rows, 1] in the target's own unit, for a forecast [rows, horizon].
 *
 * @throws TENSOR_INVALID when the output that the task needs is missing or of another shape
 */
export function decodePredictions(target: FittedTarget, outputs: Tensors): Predictions {
  if (target.task === "regression") {
    const { horizon } = target;
    const values = decodeQuantities(target, floats(outputs, "prediction", horizon ?? 1));
    return { task: "regression", values, ...(horizon !== undefined && { horizon }) };
  }
  const classes = target.classes.length;
  const logits = floats(outputs, "logits", classes);
  const rows = logits.length / classes;
  const labels = new Int32Array(rows);
  const probabilities = new Float32Array(logits.length);
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    let best = start;
    for (let i = start + 1; i < start + classes; i++) if (logits[i]! > logits[best]!) best = i; // inside the row
    labels[row] = best - start;
    let sum = 0;
    for (let i = start; i < start + classes; i++) sum += Math.exp(logits[i]! - logits[best]!);
    for (let i = start; i < start + classes; i++) probabilities[i] = Math.exp(logits[i]! - logits[best]!) / sum;
  }
  return { task: "classification", classes: target.classes, labels, probabilities };
}

function floats(outputs: Tensors, name: string, width: number): Float32Array {
  const value = outputs[name];
  if (value?.data instanceof Float32Array && value.shape.length === 2 && value.shape[1] === width) return value.data;
  const found = value === undefined ? "it is missing" : `${value.dtype} [${value.shape.join(", ")}]`;
  throw new EspalierError("TENSOR_INVALID", `the model's output "${name}" must be float32 [rows, ${width}], not ${found}`, { output: name });
}
