import type { Backend } from "../backend.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Model } from "../models/model.ts";
import type { Tensors } from "../tensor.ts";
import { evaluateLoss } from "./evaluate-loss.ts";
import { lossTerms, type Losses } from "./loss-terms.ts";
import type { Metric } from "./metrics/index.ts";
import { checkOutputs, defaultMetrics } from "./run.ts";
import { createEvaluationGraph } from "./training-graph.ts";

/** What a model is measured on, and by what. */
export interface EvaluateModelOptions {
  readonly model: Model;
  readonly backend: Backend;
  readonly loss: Losses;
  /** Batches of feeds: the model's inputs and labels, and `weights` when rows are weighted. */
  readonly data: Dataset<Tensors>;
  /** By default accuracy, or rmse and mae. */
  readonly metrics?: readonly Metric[];
  /** As of `fit`. */
  readonly sampleWeights?: boolean;
}

/**
 * A model's loss and metrics on some rows: the numbers that `fit` follows on validation rows, for test rows and for models that come from elsewhere.
 *
 * Every row counts alike, or by its weight, whatever the batches.
 *
 * @returns `loss` with the regularisers' penalties as in Keras, `loss/<output>` for each of several losses, and the metrics by name
 * @throws ARGUMENT_INVALID, GRAPH_INVALID for a loss or metric of an output that the model does not have; DATA_EMPTY; TARGET_INVALID; TENSOR_INVALID; what
 *   the backend throws
 * @example const { loss, accuracy } = await evaluateModel({ model, backend, loss: softmaxCrossEntropy(), data: tensorBatches(test, { batchSize: 256 }) });
 */
export async function evaluateModel(options: EvaluateModelOptions): Promise<Readonly<Record<string, number>>> {
  const { model, backend, loss, data, sampleWeights = false } = options;
  const terms = lossTerms(loss);
  const graph = createEvaluationGraph(model, { loss, sampleWeights });
  const metrics = options.metrics ?? defaultMetrics(terms);
  checkOutputs(model, metrics);
  const executable = await backend.compile(graph, { state: model.state });
  try {
    return await evaluateLoss(executable, { data, terms, graph: model.graph, sampleWeights, metrics, name: "evaluation" });
  } finally {
    await executable.dispose();
  }
}
