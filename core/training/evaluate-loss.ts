import type { Executable } from "../backend.ts";
import type { Dataset } from "../data/dataset.ts";
import { EspalierError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Tensors } from "../tensor.ts";
import { checkLabels } from "./check-labels.ts";
import type { LossTerm } from "./training-graph.ts";
import type { Metric } from "./metrics/index.ts";
import { prefetch } from "./prefetch.ts";
import type { ProgressMeter } from "./progress-meter.ts";

/** What validation reads and measures. */
export interface EvaluateLossOptions {
  readonly data: Dataset<Tensors>;
  readonly terms: readonly Required<LossTerm>[];
  /** The model's. */
  readonly graph: Graph;
  readonly metrics: readonly Metric[];
  readonly meter: ProgressMeter;
}

/**
 * One pass over held-out batches.
 *
 * @param executable of `createEvaluationGraph`
 * @returns `loss`, the mean over all rows, and the metrics by name
 * @throws DATA_EMPTY when there is no batch; TARGET_INVALID for labels that do not fit
 */
export async function evaluateLoss(
  executable: Executable,
  { data, terms, graph, metrics, meter }: EvaluateLossOptions,
): Promise<Record<string, number>> {
  const sums = metrics.map((metric) => ({ name: metric.name, sums: metric.start() }));
  let lossSum = 0;
  let rows = 0;
  let batches = 0;
  for await (const { item: batch } of prefetch(data.iterate())) {
    batches += 1;
    const count = checkLabels(batch, { terms, graph, place: `validation batch ${batches}` });
    const outputs = await executable.run(batch); // refuses a batch without labels
    lossSum += count * Number(outputs["loss"]?.data[0]);
    rows += count;
    const labels = batch[terms[0]?.labels ?? ""];
    if (labels !== undefined) for (const metric of sums) metric.sums.add(outputs, labels);
    await meter.breathe();
  }
  if (rows === 0) throw new EspalierError("DATA_EMPTY", "fit: the validation data has no rows; leave validation out or hold some rows back");
  return { loss: lossSum / rows, ...Object.fromEntries(sums.map((metric) => [metric.name, metric.sums.result()])) };
}
