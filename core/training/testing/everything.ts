import type { Backend } from "../../backend.ts";
import { batchNormalization, dense, dropout, sequential } from "../../layers/index.ts";
import type { Model } from "../../models/model.ts";
import { tensor, type Tensors } from "../../tensor.ts";
import type { Callback } from "../callbacks/callback.ts";
import type { FitOptions } from "../fit-options.ts";
import { softmaxCrossEntropy } from "../losses/index.ts";
import { adam } from "../optimizers/index.ts";
import { l2 } from "../regularizer.ts";
import type { Schedule } from "../schedules/index.ts";
import { batchesOf, shuffledBatchesOf } from "./batches.ts";
import { blobs } from "./synthetic.ts";

/** A network with dropout, running statistics, and a penalty. */
function network(): Model {
  const model = sequential({
    name: "everything",
    input: { name: "features", shape: [2] },
    layers: [dense({ units: 8, activation: "relu" }), batchNormalization(), dropout({ rate: 0.3 }), dense({ units: 3 })],
    output: "logits",
    seed: 5,
  });
  const kernel = Object.keys(model.state).find((name) => name.endsWith("kernel")) ?? "";
  return { ...model, parameters: { ...model.parameters, [kernel]: { ...model.parameters?.[kernel], regularizer: l2(0.001) } } };
}

/** Halves the rate after an epoch whose validation loss is not the lowest so far. */
export function halving(): Schedule {
  let [lowest, factor] = [Infinity, 1];
  return Object.assign(({ learningRate }: { learningRate: number }) => learningRate * factor, {
    observe(numbers: Readonly<Record<string, number>>): void {
      const loss = numbers["validation.loss"] ?? Infinity;
      if (loss >= lowest) factor /= 2;
      lowest = Math.min(lowest, loss);
    },
    state: () => ({ lowest, factor }),
    restore(state: Readonly<Record<string, unknown>> | undefined): void {
      [lowest, factor] = state === undefined ? [Infinity, 1] : [Number(state["lowest"]), Number(state["factor"])];
    },
  });
}

/** A callback whose state is a text that grows with every step: any step done twice or left out shows. */
export function diary(): Callback & { readonly pages: () => string } {
  let text = "";
  return {
    name: "diary",
    onStart(_event, run) {
      const restored = run.restored?.["text"];
      text = typeof restored === "string" ? restored : "";
    },
    onStep: ({ step, loss }) => void (text += `${step}:${loss.toString(36)} `),
    onEpoch: ({ record }) => void (text += `| ${record.epoch} `),
    state: () => ({ text }),
    pages: () => text,
  };
}

/**
 * A run with everything that a checkpoint must bring back: dropout masks, running statistics, moments, averages of weights, accumulated gradients, row
 * weights, a schedule and callbacks with states. Three epochs of 7 steps; updates after 3, 6 and 7 of them.
 */
export function everything(backend: Backend): FitOptions {
  return {
    model: network(),
    backend,
    loss: softmaxCrossEntropy({ labelSmoothing: 0.05 }),
    optimizer: adam({ learningRate: 0.02, weightDecay: 0.001, ema: 0.9 }),
    schedule: halving(),
    globalClipNorm: 1,
    sampleWeights: true,
    accumulateSteps: 3,
    train: shuffledBatchesOf(weighted(blobs({ rows: 50, seed: 1 })), 8),
    validation: batchesOf(weighted(blobs({ rows: 30, seed: 2 })), 16),
    epochs: 3,
    seed: 11,
    earlyStopping: { patience: 3 },
    callbacks: [diary()],
  };
}

function weighted(tensors: Tensors): Tensors {
  const rows = tensors["labels"]?.shape[0] ?? 0;
  const weights = Array.from({ length: rows }, (_, row) => 0.5 + (row % 4) / 4);
  return { ...tensors, weights: tensor("float32", [rows], weights) };
}
