import type { Backend, Executable } from "../backend.ts";
import type { Dataset } from "../data/dataset.ts";
import { feedBatches } from "../data/feed-batches.ts";
import { EspalierError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import { suggestNames } from "../nearest.ts";
import type { Tensors } from "../tensor.ts";
import type { Callback } from "./callbacks/callback.ts";
import { checkCallbackNames } from "./callbacks/dispatch.ts";
import { earlyStopping as earlyStoppingCallback } from "./callbacks/early-stopping.ts";
import { scheduleCallback } from "./callbacks/schedule-state.ts";
import type { Standing } from "./checkpoint.ts";
import type { RunBatchSize } from "./event.ts";
import { isFeedSource, type FitOptions } from "./fit-options.ts";
import { lossTerms, type NamedTerm } from "./loss-terms.ts";
import { accuracy, mae, rootMeanSquaredError, type Metric } from "./metrics/index.ts";
import { numberNames, resolveMonitor, type Monitor } from "./monitor.ts";
import type { Trainer } from "./trainer.ts";

/** What a run does, with every default filled in. */
export interface RunPlan {
  readonly model: Model;
  readonly backend: Backend;
  readonly terms: readonly NamedTerm[];
  readonly metrics: readonly Metric[];
  readonly monitor: Required<Monitor>;
  /** Names of an epoch's numbers. */
  readonly numbers: readonly string[];
  readonly callbacks: readonly Callback[];
  readonly epochs: number;
  readonly seed: number;
  readonly accumulateSteps: number;
  readonly sampleWeights: boolean;
  /** Where the data are rows. */
  readonly batchSize: RunBatchSize | undefined;
  /** The training batches of an epoch. */
  readonly dataOf: (epoch: number) => Dataset<Tensors>;
}

/** A run under way: its plan, its executables, and where it stands. */
export interface Run {
  readonly plan: RunPlan;
  readonly trainer: Trainer;
  readonly evaluation: Executable | undefined;
  at: Standing;
}

/** @throws ARGUMENT_INVALID for numbers, outputs or callbacks that do not go together */
export function planRun(options: FitOptions, batchSize: RunBatchSize | undefined): RunPlan {
  const { model, backend, loss, train, validation, seed = 0, epochs = 10, accumulateSteps = 1, sampleWeights = false } = options;
  const terms = lossTerms(loss);
  const metrics = options.metrics ?? defaultMetrics(terms);
  checkOutputs(model, metrics);
  const numbers = numberNames(terms, validation && metrics);
  const { metric, mode } = options.earlyStopping ?? {};
  const monitor = resolveMonitor(
    options.monitor ?? { ...(metric !== undefined && { metric }), ...(mode !== undefined && { mode }) },
    numbers,
    "monitor",
  );
  const stopping = options.earlyStopping && earlyStoppingCallback({ ...monitor, ...options.earlyStopping });
  const scheduling = options.schedule && scheduleCallback(options.schedule);
  const callbacks = [stopping, scheduling, ...(options.callbacks ?? [])].filter((callback) => callback !== undefined);
  checkCallbackNames(callbacks);
  const dataOf = (epoch: number): Dataset<Tensors> => {
    if (isFeedSource(train)) return feedBatches(train, { batchSize: batchSize?.rows ?? 1, shuffle: { epoch, seed } });
    const data = typeof train === "function" ? train({ epoch, seed }) : train;
    if (data === undefined || !("iterate" in data))
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `fit: train({ epoch: ${epoch}, seed: ${seed} }) must return batches, such as tensorBatches(tensors)`,
        { epoch },
      );
    return data;
  };
  return { model, backend, terms, metrics, monitor, numbers, callbacks, epochs, seed, accumulateSteps, sampleWeights, batchSize, dataOf };
}

/** What is followed when nobody says: accuracy of logits, rmse and mae of a prediction. */
export function defaultMetrics([term, ...others]: readonly NamedTerm[]): readonly Metric[] {
  if (term === undefined || others.length > 0) return []; // of several outputs the losses are followed
  if (term.loss.output === "logits") return [accuracy()];
  return term.loss.output === "prediction" ? [rootMeanSquaredError(), mae()] : [];
}

/** @throws ARGUMENT_INVALID for a metric of an output that the model does not have */
export function checkOutputs({ graph }: Model, metrics: readonly Metric[]): void {
  const names = Object.keys(graph.outputs);
  for (const { name, output } of metrics) {
    if (output === undefined || names.includes(output)) continue;
    throw new EspalierError("ARGUMENT_INVALID", `the metric "${name}" reads the output "${output}"${suggestNames(output, names)}`, {
      metric: name,
    });
  }
}
