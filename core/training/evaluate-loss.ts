import type { Executable } from "../backend.ts";
import type { Dataset } from "../data/dataset.ts";
import { EspalierError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Tensors } from "../tensor.ts";
import { checkBatch } from "./check-batch.ts";
import type { NamedTerm } from "./loss-terms.ts";
import { addLossSums, meanLosses, type LossSums } from "./loss-sums.ts";
import type { Metric } from "./metrics/index.ts";
import { prefetch } from "./prefetch.ts";

/** What validation reads and measures. */
export interface EvaluateLossOptions {
  readonly data: Dataset<Tensors>;
  readonly terms: readonly NamedTerm[];
  /** The model's. */
  readonly graph: Graph;
  readonly sampleWeights: boolean;
  readonly metrics: readonly Metric[];
  /** What to call the data in errors; default "validation". */
  readonly name?: string;
  /** Awaited after each batch: lets other work have its turn. */
  readonly breathe?: () => Promise<void>;
  /** Told of a batch whose loss is no finite number; what it throws ends the pass. */
  readonly onNotFinite?: (batch: Tensors, loss: number) => Promise<void>;
}

/**
 * One pass over held-out batches.
 *
 * @param executable of `createEvaluationGraph`
 * @returns `loss`, the mean over all rows by their weights, with the regularisers' penalties; `loss/<name>` for each of several losses; and the metrics by name
 * @throws DATA_EMPTY when there is no row that counts; TARGET_INVALID for labels that do not fit; TENSOR_INVALID for weights below 0
 */
export async function evaluateLoss(
  executable: Executable,
  { data, terms, graph, sampleWeights, metrics, name = "validation", breathe, onNotFinite }: EvaluateLossOptions,
): Promise<Record<string, number>> {
  const followed = metrics.map((metric) => ({ name: metric.name, labels: labelsOf(metric, terms), sums: metric.start() }));
  let sums: LossSums = { weight: 0, loss: 0, terms: {} };
  let batches = 0;
  for await (const { item: batch } of prefetch(data.iterate())) {
    batches += 1;
    const { weight } = checkBatch(batch, { terms, graph, sampleWeights, place: `${name} batch ${batches}` });
    if (sampleWeights && weight === 0 && batch["weights"] !== undefined) continue; // no row counts, and a mean over none is no number
    const outputs = await executable.run(batch); // refuses a batch without labels
    sums = addLossSums(sums, outputs, weight);
    const loss = Number(outputs["loss"]?.data[0]);
    if (!Number.isFinite(loss)) await onNotFinite?.(batch, loss);
    for (const { labels: input, sums: metric } of followed) {
      const labels = batch[input];
      if (labels !== undefined) metric.add(outputs, labels, sampleWeights ? batch["weights"] : undefined);
    }
    await breathe?.();
  }
  if (sums.weight === 0) {
    const what = batches === 0 ? "no rows" : "no row with a weight above 0";
    throw new EspalierError("DATA_EMPTY", `the ${name} data has ${what}; give it rows or leave it out`);
  }
  return { ...meanLosses(sums), ...Object.fromEntries(followed.map((metric) => [metric.name, metric.sums.result()])) };
}

/** The input that a metric's labels are in. */
function labelsOf({ output, labels }: Metric, terms: readonly NamedTerm[]): string {
  return labels ?? terms.find(({ loss }) => loss.output === output)?.labels ?? terms[0]?.labels ?? "labels";
}
