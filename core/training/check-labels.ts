import type { Graph } from "../graph/graph.ts";
import type { Tensors } from "../tensor.ts";
import type { LossTerm } from "./training-graph.ts";

/** Whose labels are checked. */
export interface CheckLabelsOptions {
  readonly terms: readonly Required<LossTerm>[];
  /** The model's: the sizes of its outputs say which labels fit. */
  readonly graph: Graph;
  /** What to call the batch: "batch 3 of epoch 1". */
  readonly place: string;
}

/**
 * Refuses labels that their outputs cannot stand for. A batch without labels is left to the run, which refuses it by name.
 *
 * @returns the batch's rows
 * @throws TARGET_INVALID naming the row, the label and what would fit
 */
export function checkLabels(batch: Tensors, { terms, graph, place }: CheckLabelsOptions): number {
  let rows = 0;
  for (const { loss, labels: name } of terms) {
    const labels = batch[name];
    if (labels === undefined) continue;
    const units = Number(graph.values[graph.outputs[loss.output] ?? ""]?.shape.at(-1)); // the training graph refused a model without that output
    loss.check(labels, units, place);
    rows = labels.shape[0] ?? 0;
  }
  return rows;
}
