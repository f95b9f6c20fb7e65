import { concatColumns, EspalierError, sliceRows, type Columns, type Predictions } from "../core/index.ts";
import { defaultLimits, type ServerLimits } from "./limits.ts";
import { countPredictions, countValues, joinPredictions, slicePredictions } from "./rows.ts";

/** Answers rows; a predictor's `predict`. */
export type PredictRows = (rows: Columns) => Promise<Predictions>;

/** What a batcher takes besides the function that it feeds. */
export interface BatcherOptions {
  readonly limits?: Pick<ServerLimits, "maxBatchRows" | "maxQueuedRequests" | "maxQueuedValues">;
  /** Lets requests that have already arrived be read before a batch is taken: `setImmediate` on Node. By default nothing is waited for. */
  readonly settle?: () => Promise<void>;
  /** Hears of every run. */
  readonly onBatch?: (batch: { readonly rows: number; readonly requests: number }) => void;
}

/** One model's queue. */
export interface Batcher {
  /**
   * Answers one request's rows, which must have been checked: rows of several requests run together.
   *
   * @throws SERVER_BUSY when the queue is full, CANCELLED when `signal` fires before the rows' turn came
   */
  predict(rows: Columns, options?: { readonly signal?: AbortSignal }): Promise<Predictions>;
  /** Requests that wait for their turn. */
  readonly queued: number;
  /** Resolves when nothing waits or runs any more. */
  idle(): Promise<void>;
}

interface Job {
  readonly rows: Columns;
  readonly values: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Predictions) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Batches without a timer: an idle model runs what comes at once; while it runs, requests queue; what has queued runs as one batch.
 * Load decides the batch size, and a lone request never waits for company.
 *
 * @example const batcher = createBatcher((rows) => predictor.predict(rows)); await batcher.predict(rows);
 */
export function createBatcher(predict: PredictRows, { limits = defaultLimits, settle, onBatch }: BatcherOptions = {}): Batcher {
  const queue: Job[] = [];
  let queuedValues = 0;
  let running: Promise<void> | undefined;

  const forget = (job: Job): void => {
    const place = queue.indexOf(job);
    if (place < 0) return;
    queue.splice(place, 1);
    queuedValues -= job.values;
  };

  /** As many waiting jobs as fit one run; always at least one. */
  const takeBatch = (): Job[] => {
    let count = 0;
    let rows = 0;
    for (const job of queue) {
      if (count > 0 && rows + job.rows.length > limits.maxBatchRows) break;
      count += 1;
      rows += job.rows.length;
    }
    const batch = queue.splice(0, count);
    for (const job of batch) queuedValues -= job.values;
    return batch;
  };

  const runSlices = async (rows: Columns): Promise<Predictions> => {
    const answers: Predictions[] = [];
    for (let start = 0; start < rows.length; start += limits.maxBatchRows) {
      const slice = rows.length <= limits.maxBatchRows ? rows : sliceRows(rows, start, Math.min(start + limits.maxBatchRows, rows.length));
      const answer = await predict(slice);
      if (countPredictions(answer) !== slice.length) {
        throw new EspalierError("INTERNAL", `the model answered ${countPredictions(answer)} rows of ${slice.length}`);
      }
      answers.push(answer);
      if (settle !== undefined && start + limits.maxBatchRows < rows.length) await settle();
    }
    return joinPredictions(answers);
  };

  const runBatch = async (batch: readonly Job[]): Promise<void> => {
    const rows = batch.reduce((sum, job) => sum + job.rows.length, 0);
    onBatch?.({ rows, requests: batch.length });
    try {
      const answers = await runSlices(concatColumns(batch.map((job) => job.rows)));
      let start = 0;
      for (const job of batch) {
        job.resolve(slicePredictions(answers, start, start + job.rows.length));
        start += job.rows.length;
      }
    } catch (error) {
      const [job, ...neighbours] = batch;
      if (neighbours.length === 0) job?.reject(error);
      // One request may be to blame: each gets its own answer or its own error.
      else for (const alone of batch) await runBatch([alone]);
    }
  };

  const work = async (): Promise<void> => {
    if (settle !== undefined) await settle();
    for (let batch = takeBatch(); batch.length > 0; batch = takeBatch()) {
      await runBatch(batch);
      if (settle !== undefined) await settle();
    }
    running = undefined;
  };

  return {
    predict: (rows, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(cancelled());
        const values = countValues(rows);
        if (queue.length >= limits.maxQueuedRequests || (queue.length > 0 && queuedValues + values > limits.maxQueuedValues)) {
          return reject(
            new EspalierError("SERVER_BUSY", `${queue.length} requests are waiting already; try again later, or start more servers`, {
              queuedRequests: queue.length,
              queuedValues,
            }),
          );
        }
        const onAbort = (): void => {
          forget(job);
          reject(cancelled());
        };
        const settled = <T>(then: (value: T) => void) => {
          return (value: T): void => {
            signal?.removeEventListener("abort", onAbort);
            then(value);
          };
        };
        const job: Job = { rows, values, signal, resolve: settled(resolve), reject: settled(reject) };
        signal?.addEventListener("abort", onAbort, { once: true });
        queue.push(job);
        queuedValues += values;
        running ??= work();
      }),
    get queued() {
      return queue.length;
    },
    idle: async () => {
      await running;
    },
  };
}

function cancelled(): EspalierError {
  return new EspalierError("CANCELLED", "the client went away before its rows were predicted");
}
