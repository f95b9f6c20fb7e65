import type { Columns } from "../columns.ts";
import { type RowSource, rowSource } from "../data/row-source.ts";
import { EspalierError } from "../errors.ts";
import type { FittedTarget } from "../features/features.ts";
import type { DivergedModel } from "../tracking/index.ts";
import type { Divergence, TrainingEvent } from "../training/index.ts";
import { chooseNetworks, familyOf, transferredName, type TransferSource, withTransferred } from "./networks/index.ts";
import { prepareSeries, type SeriesOptions } from "./prepare-series.ts";
import { type PreparedTable, prepareTable, type PrepareTableOptions } from "./prepare-table.ts";
import { type Candidate, trainCandidate, type TrainCandidateOptions } from "./train-candidate.ts";

/** What `trainTable` trains, on what, with what. */
export interface TrainTableOptions extends PrepareTableOptions, TrainCandidateOptions {
  /** A network's name (see `modelNames`). "auto" trains the linear model and a network, and keeps the one that is better on the validation rows. Default "auto". */
  readonly model?: string;
  /** Reads the rows as a time series: the target's next values are forecast. */
  readonly series?: SeriesOptions;
  /** A trained model that is learned on with, in place of networks that start from nothing; its columns must be in the table. Then `model` is "auto" and nothing else. */
  readonly from?: TransferSource;
  /** Told of every model's training, in order. */
  readonly onEvent?: (event: TableEvent) => void | Promise<void>;
}

/** What happens while a table is trained on. */
export type TableEvent =
  | { readonly kind: "prepared"; readonly table: PreparedTable; readonly models: readonly string[] }
  | { readonly kind: "training"; readonly model: string; readonly event: TrainingEvent }
  | { readonly kind: "trained"; readonly candidate: Candidate }
  | { readonly kind: "diverged"; readonly diverged: DivergedModel };

/** What came of it. */
export interface TrainedTable {
  readonly table: PreparedTable;
  /** In the order of training. */
  readonly candidates: readonly Candidate[];
  /** The models that came to nothing; there is at least one candidate beside them. */
  readonly diverged: readonly DivergedModel[];
  /** The one that is best on the validation rows. */
  readonly best: Candidate;
}

/**
 * From a table to a model: target, split, features, networks, training, choice and evaluation on rows that nothing else has seen.
 *
 * The linear model comes first: it is the floor that the network must beat on the validation rows to be chosen. Of several models one that diverges is told
 * of and left out of the choice.
 *
 * @param data a table in memory, or one whose images are read when they are needed
 * @throws whatever `prepareTable`, `chooseNetworks` and `fit` throw, LOSS_NOT_FINITE only when no model is left; CANCELLED when the signal ended training (the last checkpoint is saved by then)
 * @example
 * const { best } = await trainTable(columns, { target: "species", seed: 1, backend });
 * console.log(best.name, best.test.accuracy);
 */
export async function trainTable(data: Columns | RowSource, options: TrainTableOptions): Promise<TrainedTable> {
  const { model = "auto", series, from, onEvent } = options;
  checkTransfer(options);
  const source = rowSource(data);
  const table =
    series === undefined
      ? await prepareTable(source, { ...options, ...(from && { fitted: from }) })
      : await prepareSeries(source, { ...options, series });
  const known = familyOf(table.features);
  const family = from === undefined ? known : withTransferred(known, from);
  const models = from === undefined ? chooseNetworks(family, model) : [transferredName];
  await onEvent?.({ kind: "prepared", table, models });
  const candidates: Candidate[] = [];
  const failed: Failed[] = [];
  for (const name of models) {
    const context = {
      family,
      table,
      options,
      ...(onEvent && { onEvent: (event: TrainingEvent) => onEvent({ kind: "training", model: name, event }) }),
    };
    const trained = await trainCandidate(name, context).catch((error: unknown) => {
      if (models.length > 1 && error instanceof EspalierError && error.code === "LOSS_NOT_FINITE") return { model: name, error };
      throw error;
    });
    if ("error" in trained) {
      failed.push(trained);
      await onEvent?.({ kind: "diverged", diverged: divergedModel(trained) });
    } else {
      candidates.push(trained);
      await onEvent?.({ kind: "trained", candidate: trained });
    }
  }
  if (candidates.length === 0) throw allDiverged(failed);
  return { table, candidates, diverged: failed.map(divergedModel), best: chooseBest(table.target, candidates) };
}

/** @throws ARGUMENT_INVALID for what a transferred body does not go together with */
function checkTransfer({ from, model = "auto", series }: TrainTableOptions): void {
  if (from === undefined) return;
  const refuse = (why: string): never => {
    throw new EspalierError("ARGUMENT_INVALID", `${from.name} is learned on with: ${why}`, { from: from.name });
  };
  if (model !== "auto") refuse(`the network is its own, not "${model}"; leave the model out`);
  if (series !== undefined || from.features.features.some(({ kind }) => kind === "series"))
    refuse("that is for tables, texts and images, not for forecasts; train the forecaster anew");
}

/** A model with its LOSS_NOT_FINITE. */
interface Failed {
  readonly model: string;
  readonly error: EspalierError;
}

function divergedModel({ model, error }: Failed): DivergedModel {
  const { step, epoch, learningRate, anomaly } = error.details as unknown as Divergence; // the code promises it
  return { model, step, epoch, learningRate, ...(anomaly && { node: anomaly.node }) };
}

/** The first one's error is the simplest model's: the others failed like it. */
function allDiverged(failed: readonly Failed[]): EspalierError {
  const [first] = failed;
  const models = failed.map(({ model }) => model);
  const message = `every model diverged (${models.join(", ")}); ${first?.error.message ?? ""}`;
  return new EspalierError("LOSS_NOT_FINITE", message, { ...first?.error.details, models }, { cause: first?.error });
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
