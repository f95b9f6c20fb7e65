import type { Backend } from "./backend.ts";
import { EspalierError } from "./errors.ts";
import { linear } from "./models/index.ts";
import { scalar, tensor, type Tensors } from "./tensor.ts";
import { createTrainingGraph, sgd, softmaxCrossEntropy } from "./training/index.ts";

const rows = 6;
const width = 4;
const classes = 3;
const learningRate = 0.5;
const steps = 3;

/** How far a loss may be from the true one, relative to it: float32 in any order of adding up. */
const tolerance = 1e-4;

/**
 * Trains a tiny classifier for three steps and compares each loss with the one computed here, in plain float64: a backend whose driver is broken is
 * found before it is trusted with a model.
 *
 * @throws BACKEND_SELF_TEST_FAILED with both losses; what compiling and running throw
 */
export async function selfTest(backend: Backend): Promise<void> {
  const features = Array.from({ length: rows * width }, (_, i) => (((7 * Math.floor(i / width) + 3 * (i % width)) % 5) - 2) / 2);
  const labels = Array.from({ length: rows }, (_, row) => row % classes);
  const model = linear({ width, head: { task: "classification", classes } }); // starts at zero, so the layout of its weights does not matter here
  const executable = await backend.compile(createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: sgd() }), {
    state: model.state,
  });
  try {
    const batch: Tensors = { features: tensor("float32", [rows, width], features), labels: tensor("int32", [rows], labels) };
    for (const [i, expected] of expectedLosses(features, labels).entries()) {
      const { loss } = await executable.run({ ...batch, learning_rate: scalar(learningRate), step: scalar(i + 1, "int64") });
      const found = Number(loss?.data[0]);
      if (Math.abs(found - expected) <= tolerance * expected) continue;
      throw new EspalierError(
        "BACKEND_SELF_TEST_FAILED",
        `${backend.name} on ${backend.device} computes wrongly: the loss of step ${i + 1} is ${found}, not ${expected}`,
        {
          backend: backend.name,
          found,
          expected,
        },
      );
    }
  } finally {
    await executable.dispose();
  }
}

/** Softmax regression by gradient descent, written out. */
function expectedLosses(features: readonly number[], labels: readonly number[]): number[] {
  const weights = new Float64Array((width + 1) * classes); // the last row is the bias
  const input = (row: number, i: number): number => (i < width ? features[row * width + i]! : 1); // row and i count features
  return Array.from({ length: steps }, () => {
    const gradient = new Float64Array(weights.length);
    let loss = 0;
    for (const [row, label] of labels.entries()) {
      const scores = Array.from({ length: classes }, (_, k) => {
        let score = 0;
        for (let i = 0; i <= width; i++) score += input(row, i) * weights[i * classes + k]!; // inside the table
        return Math.exp(score);
      });
      const sum = scores.reduce((total, score) => total + score, 0);
      loss -= Math.log(scores[label]! / sum) / rows; // labels are below the number of classes
      for (const [k, score] of scores.entries()) {
        const error = (score / sum - (k === label ? 1 : 0)) / rows;
        for (let i = 0; i <= width; i++) gradient[i * classes + k]! += error * input(row, i);
      }
    }
    for (let i = 0; i < weights.length; i++) weights[i]! -= learningRate * gradient[i]!; // as long as the weights
    return loss;
  });
}
