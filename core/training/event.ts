/** One epoch of a run's history. Holds no clock times: a repeated run has the same history. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Steps so far. */
  readonly step: number;
  /** Training rows of this epoch. */
  readonly rows: number;
  /** Mean training loss over the epoch's rows, each at the weights of its own step. */
  readonly loss: number;
  /** Each of several losses by itself, by the output that it reads, without its factor; absent for one loss. */
  readonly losses?: Readonly<Record<string, number>>;
  /** The rate of the epoch's last step. */
  readonly learningRate: number;
  /** On the validation rows, with the weights at the epoch's end: `loss`, `loss/<output>` for each of several, and the metrics; undefined without validation data. */
  readonly validation: Readonly<Record<string, number>> | undefined;
}

/** Why training ended: all epochs done, no more progress, the signal, a callback's wish, or a loss or weight that is no finite number. */
export type StopReason = "finished" | "early-stopping" | "cancelled" | "stopped" | "diverged";

/** How many rows a run's batches have. */
export interface RunBatchSize {
  readonly rows: number;
  /** Of an automatic size: "the checkpoint was made with it". */
  readonly why?: string;
}

/** What happens while training, for progress lines, charts and run records. */
export type TrainingEvent =
  | {
      readonly kind: "start";
      readonly backend: string;
      readonly device: string;
      readonly parameters: number;
      /** Rows of one epoch, when the dataset knows. */
      readonly rows: number | undefined;
      readonly epochs: number;
      /** Of batches that `fit` makes of rows. */
      readonly batchSize?: RunBatchSize;
      /** The step that a checkpoint continues from; 0 for a new run. */
      readonly step: number;
    }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly epoch: number;
      readonly epochs: number;
      readonly loss: number;
      /** Each of several losses by itself; absent for one. */
      readonly losses?: Readonly<Record<string, number>>;
      readonly learningRate: number;
      /** Rows of this epoch so far, and of the whole epoch when known. */
      readonly rows: number;
      readonly rowsPerEpoch: number | undefined;
      /** Since the start of this call; undefined without a clock. */
      readonly rowsPerSecond: number | undefined;
      /** Until the last epoch ends, were every epoch like those so far; undefined without a clock or when the epoch's length is unknown. */
      readonly remainingMs: number | undefined;
    }
  | {
      readonly kind: "epoch";
      readonly record: EpochRecord;
      readonly epochs: number;
      /** Whether these are the best weights so far. */
      readonly best: boolean;
      readonly elapsedMs: number | undefined;
    }
  | { readonly kind: "checkpoint"; readonly step: number; readonly epoch: number; /** What the store calls it. */ readonly location: string }
  | {
      readonly kind: "stopped";
      readonly reason: StopReason;
      /** What the callback that ended training says; absent when none did. */
      readonly why?: string;
      readonly step: number;
      readonly epoch: number;
      readonly bestEpoch: number;
    };
