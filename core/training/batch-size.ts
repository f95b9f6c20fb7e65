import { EspalierError } from "../errors.ts";
import { bytesText, largestBatchSize } from "../profiling/index.ts";
import { bytesPerElement, elementCount } from "../tensor.ts";
import type { RunBatchSize } from "./event.ts";
import { isFeedSource, type FitOptions } from "./fit-options.ts";
import type { StepGraphs } from "./trainer.ts";

/** Keras's. */
const defaultBatchSize = 32;

/** What a step may take when nobody says: what a page and a small machine can spare. */
const defaultMemoryBytes = 2 ** 30;

/** An epoch shall have as many updates at least: fewer, larger steps learn less in the same number of epochs. `tableRecipe` counts likewise. */
const leastUpdates = 32;

/** Batches below this make normalisation by the batch noisy; few rows do not change that. */
const leastMost = 16;
const largest = 4096;

/**
 * The batch size of a run whose data are rows: the number asked for, or for "auto" that of the checkpoint, else the largest power of two whose step fits into
 * `memoryBytes` by the estimate and leaves an epoch 32 updates. The same model, rows and memory give the same size.
 *
 * @returns undefined for data that comes in batches
 * @throws ARGUMENT_INVALID for a size of data that comes in batches, a number out of range, or memory in which not even one row fits
 */
export function batchSizeOf(options: FitOptions, graphs: StepGraphs): RunBatchSize | undefined {
  const { train, batchSize, memoryBytes = defaultMemoryBytes, resume, accumulateSteps = 1 } = options;
  if (!isFeedSource(train)) {
    if (batchSize === undefined) return undefined;
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `fit: batchSize is ${batchSize}, but the training data comes in batches; leave it out, or give rows, such as tensorFeeds(tensors)`,
      { batchSize },
    );
  }
  if (batchSize === undefined) return { rows: defaultBatchSize };
  if (batchSize !== "auto") return { rows: whole(batchSize) };
  if (resume?.batchSize !== undefined) return { rows: resume.batchSize, why: "the checkpoint was made with it" };
  if (!(memoryBytes > 0))
    throw new EspalierError("ARGUMENT_INVALID", `fit: memoryBytes must be a number above 0, not ${memoryBytes}`, { memoryBytes });
  const most = Math.min(largest, Math.max(leastMost, 2 ** Math.floor(Math.log2(Math.max(1, train.rows / leastUpdates / accumulateSteps)))));
  const found = largestBatchSize({ graph: graphs.batch, memoryBytes, most, reservedBytes: updateBytes(graphs) });
  const need = `a step needs about ${bytesText(found.memoryBytes)}`;
  if (found.limit === "memory") return { rows: found.batchSize, why: `${need}, and one of twice the rows more than ${bytesText(memoryBytes)}` };
  const cap =
    most === largest ? `batches are no larger than ${largest}` : `larger batches would leave an epoch of ${train.rows} rows too few updates`;
  return { rows: found.batchSize, why: `${need} of ${bytesText(memoryBytes)}, and ${cap}` };
}

/** What the update's graph keeps beside the batch's. */
function updateBytes({ batch, state }: StepGraphs): number {
  const own = new Set(batch.state.map(({ name }) => name));
  return state
    .filter(({ name }) => !own.has(name))
    .reduce((sum, { dtype, shape }) => sum + (dtype === "string" ? 0 : elementCount(shape) * bytesPerElement[dtype]), 0);
}

function whole(batchSize: number): number {
  if (Number.isSafeInteger(batchSize) && batchSize >= 1) return batchSize;
  throw new EspalierError("ARGUMENT_INVALID", `fit: batchSize must be a whole number from 1 or "auto", not ${batchSize}`, { batchSize });
}
