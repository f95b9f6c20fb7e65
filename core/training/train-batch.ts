import type { DatasetState } from "../data/dataset.ts";
import type { Tensors } from "../tensor.ts";
import { checkBatch } from "./check-batch.ts";
import type { Standing } from "./checkpoint.ts";
import { addLossSums } from "./loss-sums.ts";
import { randomFeeds } from "./random-feeds.ts";
import type { Run } from "./run.ts";
import type { BatchRun } from "./trainer.ts";

/** One batch, and where the data goes on after it. */
export interface BatchOptions {
  readonly batch: Tensors;
  readonly position: DatasetState;
  readonly learningRate: number;
}

/** What one batch came to. */
export interface TrainedBatch {
  /** NaN or an infinity when it went wrong. */
  readonly loss: number;
  /** `loss`, and `losses` of several, for the step's event. */
  readonly losses: { readonly loss: number; readonly losses?: Readonly<Record<string, number>> };
  /** Where the run stands after it. */
  readonly at: Standing;
}

/**
 * Runs one batch, and moves the parameters when it is the last of its update. Whether the loss is a number is the caller's to look at.
 *
 * A batch whose rows all have the weight 0 is passed over.
 *
 * @throws what `checkBatch` and the backend throw
 */
export async function trainBatch(run: Run, options: BatchOptions): Promise<TrainedBatch | undefined> {
  const { trainer, plan, at } = run;
  const { batch, position, learningRate } = options;
  const { epoch, progress } = at;
  const place = `batch ${progress.batches + 1} of epoch ${epoch}`;
  const { rows, weight } = checkBatch(batch, { ...plan, graph: plan.model.graph, place });
  if (plan.sampleWeights && weight === 0 && batch["weights"] !== undefined) {
    run.at = { ...at, position, progress: { ...progress, batches: progress.batches + 1 } };
    return undefined;
  }
  const prepared = prepareBatch(run, { batch, rows, weight, learningRate });
  const outputs = await trainer.runBatch(prepared);
  const pending = { batches: at.pending.batches + 1, weight: at.pending.weight + weight };
  const { loss, terms } = addLossSums({ loss: 0, weight: 0, terms: {} }, outputs, 1);
  const sums = addLossSums(progress, outputs, weight);
  run.at = {
    ...at,
    step: at.step + 1,
    position,
    pending,
    progress: { ...sums, rows: progress.rows + rows, batches: progress.batches + 1, learningRate },
  };
  if (pending.batches >= plan.accumulateSteps) await updateParameters(run, learningRate);
  return { loss, losses: { loss, ...(Object.keys(terms).length > 0 && { losses: terms }) }, at: run.at };
}

/** Moves the parameters by what was accumulated; nothing when nothing was. */
export async function updateParameters(run: Run, learningRate: number): Promise<void> {
  const { pending, updates } = run.at;
  if (pending.batches === 0) return;
  await run.trainer.update({ learningRate, update: updates + 1 });
  run.at = { ...run.at, updates: updates + 1, pending: { batches: 0, weight: 0 } };
}

/** What the trainer runs a batch with: its random numbers depend on seed and step alone. */
export function prepareBatch(
  { trainer, plan: { seed }, at }: Run,
  { batch, rows, weight, learningRate }: { readonly batch: Tensors; readonly rows: number; readonly weight: number; readonly learningRate: number },
): BatchRun {
  const random = randomFeeds(trainer.graphs.batch, { seed, step: at.step + 1, batch: rows });
  return {
    feeds: { ...batch, ...random },
    weight,
    pending: at.pending,
    rate: { learningRate, update: at.updates + 1 },
  };
}
