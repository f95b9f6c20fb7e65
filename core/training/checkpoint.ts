import type { DatasetState } from "../data/dataset.ts";
import type { Tensors } from "../tensor.ts";
import type { EpochRecord } from "./event.ts";

/** The weights that validated best, and when. */
export interface BestWeights {
  readonly epoch: number;
  /** The watched loss: on validation rows, or on training rows without those. */
  readonly loss: number;
  /** The model's state, without slots. */
  readonly state: Tensors;
}

/** The sums of an epoch that is under way. */
export interface EpochProgress {
  readonly lossSum: number;
  readonly rows: number;
  readonly batches: number;
  readonly learningRate: number;
}

/** Everything from which training goes on as if it had never stopped. */
export interface Checkpoint {
  /** Of the training graph: another model, loss or optimizer has another. */
  readonly graphHash: string;
  readonly seed: number;
  readonly step: number;
  /** The epoch under way, from 1; one more than the last when all are done. */
  readonly epoch: number;
  /** Where the epoch's data goes on; undefined at an epoch's start. */
  readonly position: DatasetState | undefined;
  readonly progress: EpochProgress;
  readonly history: readonly EpochRecord[];
  /** Parameters, statistics and slots. */
  readonly state: Tensors;
  readonly best: BestWeights | undefined;
}

/** Keeps checkpoints: the last one and the best one. Each save replaces as a whole or not at all. */
export interface CheckpointStore {
  /**
   * @param options.best whether it also becomes the best one
   * @returns where it is, for messages: a path or a key
   * @throws FILE_UNREADABLE when it cannot be written
   */
  save(checkpoint: Checkpoint, options: { readonly best: boolean }): Promise<string>;
  /** @returns undefined when there is none @throws CHECKPOINT_INVALID when it is damaged */
  load(which: "last" | "best"): Promise<Checkpoint | undefined>;
}
