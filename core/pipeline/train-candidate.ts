import type { Backend } from "../backend.ts";
import { type FeedSource, feedBatches } from "../data/feed-batches.ts";
import type { Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { evaluatePredictions } from "../evaluation/index.ts";
import { decodePredictions } from "../features/decode.ts";
import type { FittedTarget } from "../features/features.ts";
import type { Head, Model } from "../models/index.ts";
import type { Predictions } from "../predictor.ts";
import { deriveSeed } from "../random.ts";
import { rowsPerRun } from "../rows-per-run.ts";
import {
  adam,
  type Callback,
  type CheckpointStore,
  type EpochRecord,
  fit,
  type Precision,
  type Recipe,
  type StopReason,
  type TrainingEvent,
} from "../training/index.ts";
import type { NetworkContext, NetworkFamily } from "./networks/index.ts";
import type { PreparedTable } from "./prepare-table.ts";

/** How every network is trained, whatever it is. */
export interface TrainCandidateOptions {
  readonly seed: number;
  readonly backend: Backend;
  /** By default from the number of rows: see `tableRecipe`. */
  readonly epochs?: number;
  /** "auto": the largest that fits into `memoryBytes`; see `FitOptions`. */
  readonly batchSize?: number | "auto";
  /** What a training step may take in memory, for the batch size "auto". */
  readonly memoryBytes?: number;
  readonly learningRate?: number;
  /** The element types that steps compute in; see `FitOptions`. */
  readonly precision?: Precision;
  /** Whether training images are varied; default true. */
  readonly augmentation?: boolean;
  /** Where a model's checkpoints go; none without. */
  readonly checkpoints?: (model: string) => CheckpointStore;
  /** Who follows a model's training; nobody without. */
  readonly callbacks?: (model: string) => readonly Callback[];
  /** Steps between two checkpoints; they are saved at the ends of epochs as well. */
  readonly checkpointEvery?: number;
  /** Goes on from the checkpoints that an earlier call with the same table and options left; a model without one is trained from its start. */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds, for rates and times. */
  readonly clock?: () => number;
}

/** One trained model and how good it is. */
export interface Candidate {
  /** As `--model` names it. */
  readonly name: string;
  readonly model: Model;
  /** How it was trained: batch size, epochs, optimizer and its settings. */
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly history: readonly EpochRecord[];
  readonly reason: StopReason;
  readonly bestEpoch: number;
  /** On the validation rows: what models are chosen by. */
  readonly validation: Readonly<Record<string, number>>;
  /** On the test rows: what is reported. */
  readonly test: Readonly<Record<string, number>>;
}

/** Which network is trained, on what. */
export interface CandidateContext {
  readonly family: NetworkFamily;
  readonly table: PreparedTable;
  readonly options: TrainCandidateOptions;
  readonly onEvent?: (event: TrainingEvent) => void | Promise<void>;
}

/**
 * Trains one network on a prepared table and evaluates it.
 *
 * @param name of the family's networks
 * @throws what `fit` throws; CANCELLED when the signal ended training (the last checkpoint is saved by then)
 */
export async function trainCandidate(name: string, { family, table, options, onEvent }: CandidateContext): Promise<Candidate> {
  const { backend, seed, augmentation = true, checkpoints, callbacks, checkpointEvery, resume = false, signal, clock } = options;
  const build = family.networks[name];
  if (build === undefined) throw new EspalierError("ARGUMENT_INVALID", `there is no network "${name}" for ${family.what}`, { name });
  const store = checkpoints?.(name);
  const checkpoint = resume ? await store?.load("last") : undefined;
  const { target, features, feeds, parts } = table;
  const context: NetworkContext = { features, head: headOf(target), rows: feeds.train.rows, seed: deriveSeed(seed, "weights") };
  const { epochs, optimizer, ...recipe } = overrideRecipe(family.recipe(name, context), options);
  const start = build(context);
  const evaluationRows = rowsPerRun(start.graph);
  const training = augmentation && name !== "linear" && family.vary !== undefined ? family.vary(feeds.train, context) : feeds.train;
  const result = await fit({
    model: start,
    backend,
    ...recipe,
    batchSize: options.batchSize ?? recipe.batchSize,
    ...(options.memoryBytes !== undefined && { memoryBytes: options.memoryBytes }),
    ...(options.precision !== undefined && { precision: options.precision }),
    optimizer,
    epochs,
    train: training,
    validation: feedBatches(feeds.validation, { batchSize: evaluationRows }),
    seed: deriveSeed(seed, "batches"),
    ...(onEvent && { onEvent }),
    ...(store && { checkpoints: store }),
    ...(callbacks && { callbacks: callbacks(name) }),
    ...(checkpoint && { resume: checkpoint }),
    ...(checkpointEvery !== undefined && { checkpointEvery }),
    ...(signal && { signal }),
    ...(clock && { clock }),
  });
  if (result.reason === "cancelled") {
    throw new EspalierError("CANCELLED", `training of the ${name} model was stopped in epoch ${result.history.length + 1}, step ${result.steps}`, {
      model: name,
    });
  }
  return {
    name,
    model: result.model,
    recipe: {
      batchSize: result.batchSize,
      epochs,
      optimizer: optimizer.name,
      ...optimizer.config,
      ...(options.precision !== undefined && { precision: options.precision }),
    },
    history: result.history,
    reason: result.reason,
    bestEpoch: result.bestEpoch,
    validation: await evaluateModel(result.model, { backend, target, feeds: feeds.validation, truth: parts.validation }),
    test: await evaluateModel(result.model, { backend, target, feeds: feeds.test, truth: parts.test }),
  };
}

function headOf(target: FittedTarget): Head {
  if (target.task === "classification") return { task: "classification", classes: target.classes.length };
  return { task: "regression", units: target.horizon ?? 1 };
}

/** The recipe with what the user fixed. */
function overrideRecipe(recipe: Recipe, { epochs, learningRate }: TrainCandidateOptions): Recipe {
  return {
    ...recipe,
    ...(epochs !== undefined && { epochs }),
    ...(learningRate !== undefined && { optimizer: adam({ ...recipe.optimizer.config, learningRate }) }),
  };
}

interface EvaluationContext {
  readonly backend: Backend;
  readonly target: FittedTarget;
  readonly feeds: FeedSource;
  readonly truth: Columns;
}

async function evaluateModel(model: Model, { backend, target, feeds, truth }: EvaluationContext): Promise<Readonly<Record<string, number>>> {
  const executable = await backend.compile(model.graph, { state: model.state });
  try {
    const answers: Predictions[] = [];
    for await (const { labels: _, ...features } of feedBatches(feeds, { batchSize: rowsPerRun(model.graph) }))
      answers.push(decodePredictions(target, await executable.run(features)));
    return evaluatePredictions(target, { predictions: answers, columns: truth });
  } finally {
    await executable.dispose();
  }
}
