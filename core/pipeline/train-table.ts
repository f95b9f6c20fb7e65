import type { Backend } from "../backend.ts";
import type { Columns } from "../columns.ts";
import { type TensorBatchesOptions, tensorBatches } from "../data/tensor-batches.ts";
import { EspalierError } from "../errors.ts";
import { evaluatePredictions } from "../evaluation/index.ts";
import { decodePredictions } from "../features/decode.ts";
import type { FittedTarget } from "../features/features.ts";
import { encodeTarget } from "../features/target.ts";
import { featureWidth, transformFeatures } from "../features/transform.ts";
import { linear, mlp, type Head, type Model } from "../models/index.ts";
import type { Predictions } from "../predictor.ts";
import { deriveSeed } from "../random.ts";
import type { Tensors } from "../tensor.ts";
import {
  adam,
  type CheckpointStore,
  type EpochRecord,
  fit,
  type Recipe,
  type StopReason,
  tableRecipe,
  type TrainingEvent,
} from "../training/index.ts";
import { type PreparedTable, prepareTable, type PrepareTableOptions } from "./prepare-table.ts";

/** The families of models for tables. */
export type TableModel = "linear" | "network";

/** What `trainTable` trains, on what, with what. */
export interface TrainTableOptions extends PrepareTableOptions {
  readonly backend: Backend;
  /** "auto" trains both and keeps the one that is better on the validation rows. Default "auto". */
  readonly model?: "auto" | TableModel;
  /** By default from the number of rows: see `tableRecipe`. */
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  /** Told of every model's training, in order. */
  readonly onEvent?: (event: TableEvent) => void | Promise<void>;
  /** Where a model's checkpoints go; none without. */
  readonly checkpoints?: (model: TableModel) => CheckpointStore;
  /** Steps between two checkpoints; they are saved at the ends of epochs as well. */
  readonly checkpointEvery?: number;
  /** Goes on from the checkpoints that an earlier call with the same table and options left; a model without one is trained from its start. */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds, for rates and times. */
  readonly clock?: () => number;
}

/** What happens while a table is trained on. */
export type TableEvent =
  | { readonly kind: "prepared"; readonly table: PreparedTable; readonly models: readonly TableModel[] }
  | { readonly kind: "training"; readonly model: TableModel; readonly event: TrainingEvent }
  | { readonly kind: "trained"; readonly candidate: Candidate };

/** One trained model and how good it is. */
export interface Candidate {
  readonly name: TableModel;
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

/** What came of it. */
export interface TrainedTable {
  readonly table: PreparedTable;
  /** In the order of training. */
  readonly candidates: readonly Candidate[];
  /** The one that is best on the validation rows. */
  readonly best: Candidate;
}

/**
 * From a table to a model: target, split, features, training, choice and evaluation on rows that nothing else has seen.
 *
 * The linear model comes first: it is the floor that the network must beat on the validation rows to be chosen.
 *
 * @throws whatever `prepareTable` and `fit` throw; CANCELLED when the signal ended training (the last checkpoint is saved by then)
 * @example
 * const { best } = await trainTable(columns, { target: "species", seed: 1, backend });
 * console.log(best.name, best.test.accuracy);
 */
export async function trainTable(columns: Columns, options: TrainTableOptions): Promise<TrainedTable> {
  const { model = "auto", onEvent } = options;
  const table = await prepareTable(columns, options);
  const models: readonly TableModel[] = model === "auto" ? ["linear", "network"] : [model];
  await onEvent?.({ kind: "prepared", table, models });
  const tensors = {
    train: tensorsOf(table, table.parts.train),
    validation: tensorsOf(table, table.parts.validation),
    test: tensorsOf(table, table.parts.test),
  };
  const candidates: Candidate[] = [];
  for (const name of models) {
    const candidate = await trainCandidate(name, { table, tensors, options });
    candidates.push(candidate);
    await onEvent?.({ kind: "trained", candidate });
  }
  return { table, candidates, best: chooseBest(table.target, candidates) };
}

/**
 * The best by loss on the validation rows: log loss, or root mean squared error. Of equal ones the first, which is the simpler.
 *
 * @throws DATA_EMPTY without candidates
 */
export function chooseBest(target: FittedTarget, candidates: readonly Candidate[]): Candidate {
  const measure = target.task === "classification" ? "logLoss" : "rmse";
  let best = candidates[0];
  for (const candidate of candidates) if (best === undefined || candidate.validation[measure]! < best.validation[measure]!) best = candidate; // every evaluation has it
  if (best === undefined) throw new EspalierError("DATA_EMPTY", "there is no candidate to choose from");
  return best;
}

interface Parts {
  readonly train: Tensors;
  readonly validation: Tensors;
  readonly test: Tensors;
}

interface CandidateContext {
  readonly table: PreparedTable;
  readonly tensors: Parts;
  readonly options: TrainTableOptions;
}

async function trainCandidate(name: TableModel, { table, tensors, options }: CandidateContext): Promise<Candidate> {
  const { backend, seed, onEvent, checkpoints, checkpointEvery, resume = false, signal, clock } = options;
  const store = checkpoints?.(name);
  const checkpoint = resume ? await store?.load("last") : undefined;
  const { target, parts } = table;
  const rows = parts.train.length;
  const head: Head = target.task === "classification" ? { task: "classification", classes: target.classes.length } : { task: "regression" };
  const recipe = overrideRecipe(tableRecipe({ head, rows, model: name }), options);
  const { batchSize, epochs, optimizer, ...settings } = recipe;
  const width = featureWidth(table.features);
  const start = name === "linear" ? linear({ width, head }) : mlp({ width, head, rows, seed: deriveSeed(seed, "weights") });
  const batches = (shuffle: TensorBatchesOptions["shuffle"]): ReturnType<typeof tensorBatches> =>
    tensorBatches(tensors.train, { batchSize, ...(shuffle && { shuffle }) });
  const result = await fit({
    model: start,
    backend,
    ...settings,
    optimizer,
    epochs,
    train: batches,
    validation: tensorBatches(tensors.validation, { batchSize: evaluationRows }),
    seed: deriveSeed(seed, "batches"),
    ...(onEvent && { onEvent: (event) => onEvent({ kind: "training", model: name, event }) }),
    ...(store && { checkpoints: store }),
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
    recipe: { batchSize, epochs, optimizer: optimizer.name, ...optimizer.config },
    history: result.history,
    reason: result.reason,
    bestEpoch: result.bestEpoch,
    validation: await evaluateModel(result.model, { backend, target, tensors: tensors.validation, columns: parts.validation }),
    test: await evaluateModel(result.model, { backend, target, tensors: tensors.test, columns: parts.test }),
  };
}

/** The recipe with what the user fixed. */
function overrideRecipe(recipe: Recipe, { epochs, batchSize, learningRate }: TrainTableOptions): Recipe {
  return {
    ...recipe,
    ...(epochs !== undefined && { epochs }),
    ...(batchSize !== undefined && { batchSize }),
    ...(learningRate !== undefined && { optimizer: adam({ ...recipe.optimizer.config, learningRate }) }),
  };
}

/** Rows of one run when nothing is learned. */
const evaluationRows = 1024;

interface EvaluationContext {
  readonly backend: Backend;
  readonly target: FittedTarget;
  readonly tensors: Tensors;
  readonly columns: Columns;
}

async function evaluateModel(model: Model, { backend, target, tensors, columns }: EvaluationContext): Promise<Readonly<Record<string, number>>> {
  const executable = await backend.compile(model.graph, { state: model.state });
  try {
    const answers: Predictions[] = [];
    const { labels: _, ...features } = tensors;
    for await (const feeds of tensorBatches(features, { batchSize: evaluationRows }))
      answers.push(decodePredictions(target, await executable.run(feeds)));
    return evaluatePredictions(target, { predictions: answers, columns });
  } finally {
    await executable.dispose();
  }
}

function tensorsOf(table: PreparedTable, columns: Columns): Tensors {
  return { ...transformFeatures(table.features, columns), labels: encodeTarget(table.target, columns) };
}
