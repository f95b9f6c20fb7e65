import type { Head } from "../models/head.ts";
import type { EarlyStopping } from "./fit-options.ts";
import { meanSquaredError, softmaxCrossEntropy, type Loss } from "./loss.ts";
import { adam, type Optimizer } from "./optimizer.ts";
import { cosineSchedule, type Schedule } from "./schedule.ts";

/** How a model is trained when nobody says how: all that `fit` takes besides model, data and backend. */
export interface Recipe {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly batchSize: number;
  readonly epochs: number;
  readonly earlyStopping: EarlyStopping;
}

/** What a recipe is chosen by. */
export interface RecipeOptions {
  readonly head: Head;
  /** Training rows. */
  readonly rows: number;
  readonly model: "linear" | "network";
}

/**
 * Settings that train a table's model well without a knob, from a hundred rows to a million.
 *
 * @example fit({ model, backend, ...recipe, train: ({ epoch, seed }) => tensorBatches(feeds, { batchSize: recipe.batchSize, shuffle: { epoch, seed } }), validation })
 */
export function tableRecipe({ head, rows, model }: RecipeOptions): Recipe {
  const batchSize = Math.min(256, Math.max(16, 2 ** Math.round(Math.log2(Math.max(1, rows) / 32))));
  const stepsPerEpoch = Math.ceil(rows / batchSize);
  const epochs = Math.min(200, Math.max(20, Math.round(4000 / stepsPerEpoch)));
  return {
    loss: head.task === "classification" ? softmaxCrossEntropy() : meanSquaredError(),
    optimizer: adam({ learningRate: model === "linear" ? 0.02 : 0.003, weightDecay: 1e-4 }),
    schedule: cosineSchedule({ floor: 0.02 }),
    batchSize,
    epochs,
    earlyStopping: { patience: Math.max(5, Math.round(epochs / 8)) },
  };
}
