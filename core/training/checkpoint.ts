import type { DatasetState } from "../data/dataset.ts";
import type { Tensors } from "../tensor.ts";
import type { CallbackState } from "./callbacks/callback.ts";
import type { EpochRecord } from "./event.ts";
import type { LossSums } from "./loss-sums.ts";

/** The weights that did best, and when. */
export interface BestWeights {
  readonly epoch: number;
  /** Of the monitored number. */
  readonly value: number;
  /** The model's state, without slots. */
  readonly state: Tensors;
}

/** The sums of an epoch that is under way. */
export interface EpochProgress extends LossSums {
  readonly rows: number;
  readonly batches: number;
  /** The rate of the last step. */
  readonly learningRate: number;
}

/** Gradients that were added up and not used yet. */
export interface PendingGradients {
  readonly batches: number;
  readonly weight: number;
}

/** Where a run stands, but for its tensors. */
export interface Standing {
  /** Batches so far. */
  readonly step: number;
  /** Updates of the parameters so far: fewer than steps where gradients are accumulated. */
  readonly updates: number;
  readonly pending: PendingGradients;
  /** The epoch under way, from 1; one more than the last when all are done. */
  readonly epoch: number;
  /** Where the epoch's data goes on; undefined at an epoch's start. */
  readonly position: DatasetState | undefined;
  readonly progress: EpochProgress;
  readonly history: readonly EpochRecord[];
  readonly best: BestWeights | undefined;
}

/** Everything from which training goes on as if it had never stopped. */
export interface Checkpoint extends Standing {
  /** Of the training graph: another model, loss or optimizer has another. */
  readonly graphHash: string;
  readonly seed: number;
  /** Rows of the run's batches where `fit` made them. */
  readonly batchSize?: number;
  /** Parameters, statistics, slots and accumulated gradients. */
  readonly state: Tensors;
  /** What callbacks remember, by their names. */
  readonly callbacks: Readonly<Record<string, CallbackState>>;
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
