import type { Dataset } from "../../data/dataset.ts";
import { tensorBatches } from "../../data/tensor-batches.ts";
import type { Tensors } from "../../tensor.ts";
import type { TrainingData } from "../fit-options.ts";

/** Batches of whole tensors for tests, in order. */
export function batchesOf(tensors: Tensors, batchSize: number): Dataset<Tensors> {
  return tensorBatches(tensors, { batchSize });
}

/** The same, in another seeded order each epoch. */
export function shuffledBatchesOf(tensors: Tensors, batchSize: number): TrainingData {
  return (pass) => tensorBatches(tensors, { batchSize, shuffle: pass });
}
