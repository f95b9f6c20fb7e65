import type { Backend } from "../backend.ts";
import type { FeedSource } from "../data/feed-batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { EspalierError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import type { Tensors } from "../tensor.ts";
import type { Callback } from "./callbacks/callback.ts";
import type { EarlyStopping } from "./callbacks/early-stopping.ts";
import type { Checkpoint, CheckpointStore } from "./checkpoint.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./event.ts";
import type { LossScaling } from "./loss-scaling.ts";
import type { Losses } from "./loss-terms.ts";
import type { Metric } from "./metrics/index.ts";
import type { Precision } from "./mixed-precision.ts";
import type { Monitor } from "./monitor.ts";
import type { Optimizer } from "./optimizers/index.ts";
import type { Schedule } from "./schedules/index.ts";

/** Batches of feeds: the model's inputs and `labels`. A function gives each epoch an order of its own. */
export type TrainingData = Dataset<Tensors> | ((pass: { readonly epoch: number; readonly seed: number }) => Dataset<Tensors>);

/** What `fit` trains, on what, and for how long. */
export interface FitOptions {
  readonly model: Model;
  readonly backend: Backend;
  /** One loss, or several of a model with several outputs. */
  readonly loss: Losses;
  readonly optimizer: Optimizer;
  /** Batches; or rows, such as `tensorFeeds(tensors)`, of which `fit` makes batches in another order each epoch. */
  readonly train: TrainingData | FeedSource;
  /**
   * Rows of a batch where `train` is rows. Default 32. "auto": the largest power of two, up to 4096, whose step fits into `memoryBytes` and leaves an epoch 32
   * updates; a resumed run keeps its checkpoint's.
   */
  readonly batchSize?: number | "auto";
  /** What a step may take in memory, by `estimateMemory` with a margin, for the batch size "auto". Default 1 GiB. */
  readonly memoryBytes?: number;
  readonly validation?: Dataset<Tensors>;
  /** At most so many passes over the data. Default 10. */
  readonly epochs?: number;
  /** Given to `train` for each epoch's order. Default 0. */
  readonly seed?: number;
  /** Default: the optimizer's rate, always. */
  readonly schedule?: Schedule;
  /** See `TrainingGraphOptions`. */
  readonly globalClipNorm?: number;
  /** See `TrainingGraphOptions`. */
  readonly precision?: Precision;
  /** See `TrainingGraphOptions`. */
  readonly lossScaling?: LossScaling;
  /** Whether batches have an input `weights` float32 [batch], one for each row. Default: no. */
  readonly sampleWeights?: boolean;
  /** Batches whose gradients are added up before the parameters move: as one batch of them all, in the memory of one. What is left at an epoch's end makes
   * an update of its own. Normalisations by the batch see the parts, not the whole. Default 1. */
  readonly accumulateSteps?: number;
  /** By which number epochs are compared: the best one's weights are what `fit` returns. */
  readonly monitor?: Monitor;
  /** Which weights are returned: the best epoch's, those of the last step, or the average that an optimizer with `ema` keeps. Default "best". */
  readonly weights?: "best" | "last" | "averaged";
  readonly earlyStopping?: EarlyStopping;
  /** Followers of the run, told in their order, after early stopping and before `onEvent`. */
  readonly callbacks?: readonly Callback[];
  /** Followed on validation rows; by default accuracy, or rmse and mae. */
  readonly metrics?: readonly Metric[];
  /** Told everything, in order. Training waits for a promise that it returns: that is how a page pauses. */
  readonly onEvent?: (event: TrainingEvent) => void | Promise<void>;
  /** Ends training after the step under way, with a checkpoint; `fit` then returns with reason "cancelled". */
  readonly signal?: AbortSignal;
  /** Saved to at the start, after each epoch, after every `checkpointEvery` steps, and when the signal ends training. */
  readonly checkpoints?: CheckpointStore;
  /** In steps. Default: only at the ends of epochs. */
  readonly checkpointEvery?: number;
  /**
   * Whether a loss or weight that is no finite number is traced to the operator that made it, by doing the steps since the last good state again. Costs a copy
   * of the state in memory, renewed at the start of an epoch and every 500 steps. Default true.
   */
  readonly anomalies?: boolean;
  /** Goes on from here; on the same backend and data the result is bit for bit that of a run without the break. */
  readonly resume?: Checkpoint;
  /** Milliseconds, for rates and times; without it there are none. */
  readonly clock?: () => number;
}

/** What came of it. */
export interface FitResult {
  /** The model with its best weights: those of the epoch in which the monitored number was best; or with the last ones. */
  readonly model: Model;
  readonly history: readonly EpochRecord[];
  readonly reason: StopReason;
  readonly steps: number;
  /** Where `train` was rows. */
  readonly batchSize?: number;
  /** The epoch of the weights in `model`; 0 when training was cancelled in its first epoch: then they are those of the last step. */
  readonly bestEpoch: number;
}

/** @throws ARGUMENT_INVALID for a count or seed out of range, and for what is not of its type at all: JavaScript has no compiler to say so */
export function checkFitOptions(options: FitOptions): void {
  const { epochs = 10, seed = 0, checkpointEvery = 1, accumulateSteps = 1, weights = "best", optimizer } = options;
  checkKinds(options);
  checkWhole("epochs", epochs, 1);
  checkWhole("seed", seed, 0);
  checkWhole("checkpointEvery", checkpointEvery, 1);
  checkWhole("accumulateSteps", accumulateSteps, 1);
  if (!["best", "last", "averaged"].includes(weights))
    throw new EspalierError("ARGUMENT_INVALID", `fit: weights must be "best", "last" or "averaged", not "${weights}"`, { weights });
  if (weights === "averaged" && typeof optimizer.config["ema"] !== "number")
    throw new EspalierError("ARGUMENT_INVALID", `fit: ${optimizer.name} keeps no averages of the weights; give it ema, such as 0.999`, { weights });
}

/** By a member that each kind has. */
function checkKinds({ model, backend, loss, optimizer, train, validation, resume }: FitOptions): void {
  checkKind("model", model, { member: "graph", hint: "a model, such as network.build()" });
  checkKind("backend", backend, { member: "compile", hint: "a backend, such as openReference()" });
  if (!Array.isArray(loss)) checkKind("loss", loss, { member: "build", hint: "a loss, such as softmaxCrossEntropy(), or createLoss by its name" });
  checkKind("optimizer", optimizer, { member: "apply", hint: "an optimizer, such as adam(), or createOptimizer by its name" });
  if (typeof train !== "function" && !isFeedSource(train))
    checkKind("train", train, { member: "iterate", hint: "batches, such as tensorBatches(tensors), or rows, such as tensorFeeds(tensors)" });
  if (validation !== undefined) checkKind("validation", validation, { member: "iterate", hint: "batches, such as tensorBatches(tensors)" });
  if (resume !== undefined) checkKind("resume", resume, { member: "graphHash", hint: 'a checkpoint, such as await store.load("last")' });
}

function checkKind(name: string, value: unknown, { member, hint }: { readonly member: string; readonly hint: string }): void {
  if (typeof value === "object" && value !== null && member in value) return;
  const found =
    value instanceof Promise ? "a promise (await it)" : typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : typeof value;
  throw new EspalierError("ARGUMENT_INVALID", `fit: ${name} must be ${hint}, not ${found}`, { option: name });
}

/** Rows that are made into batches by `fit` itself, as opposed to data that comes in batches. */
export function isFeedSource(data: FitOptions["train"]): data is FeedSource {
  return typeof data === "object" && data !== null && "feedsAt" in data;
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new EspalierError("ARGUMENT_INVALID", `fit: ${name} must be a whole number from ${least}, not ${value}`, { [name]: value });
}
