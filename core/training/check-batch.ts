import { EspalierError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import type { NamedTerm } from "./loss-terms.ts";

/** Whose labels and weights are checked. */
export interface CheckBatchOptions {
  readonly terms: readonly NamedTerm[];
  /** The model's: the sizes of its outputs say which labels fit. */
  readonly graph: Graph;
  readonly sampleWeights: boolean;
  /** What to call the batch: "batch 3 of epoch 1". */
  readonly place: string;
}

/** How much a batch is. */
export interface BatchSize {
  readonly rows: number;
  /** The sum of its rows' weights; the number of rows without weights. What its mean loss counts in a mean over batches. */
  readonly weight: number;
}

/**
 * Refuses labels that their outputs cannot stand for, and weights that are none. A batch without labels is left to the run, which refuses it by name.
 *
 * @throws TARGET_INVALID naming the row, the label and what would fit; TENSOR_INVALID naming the row and its weight, or for labels or weights of other rows
 */
export function checkBatch(batch: Tensors, { terms, graph, sampleWeights, place }: CheckBatchOptions): BatchSize {
  let rows = 0;
  for (const { loss, labels: name } of terms) {
    const labels = batch[name];
    if (labels === undefined) continue;
    const units = Number(graph.values[graph.outputs[loss.output] ?? ""]?.shape.at(-1)); // the training graph refused a model without that output
    loss.check(labels, units, place);
    rows = labels.shape[0] ?? 0;
  }
  const weights = batch["weights"];
  if (!sampleWeights || weights === undefined) return { rows, weight: rows };
  return { rows, weight: sumOfWeights(weights, place) };
}

function sumOfWeights(weights: Tensor, place: string): number {
  let sum = 0;
  for (const [row, value] of weights.data.entries()) {
    const weight = Number(value);
    if (!(weight >= 0 && weight < Infinity)) {
      throw new EspalierError("TENSOR_INVALID", `fit: the weight of row ${row} in ${place} is ${weight}; weights are finite numbers from 0`, {
        row,
        weight,
      });
    }
    sum += weight;
  }
  return sum;
}
