import type { Dimension } from "../../graph/graph.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import type { DType, Tensor } from "../../tensor.ts";

/** What is minimised: how a model's output and the labels become one number. */
export interface Loss {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The model's output that it reads. */
  readonly output: string;
  /** The labels that go with an output. @param output the output's value @throws GRAPH_SHAPE when the output has another rank */
  labels(output: Value): { readonly dtype: DType; readonly shape: readonly Dimension[] };
  /**
   * Writes the loss: a float32 scalar, the mean over the batch.
   *
   * @param weights float32 [batch]: the mean is then sum(weight * loss of the row) / sum(weight)
   */
  build(emit: Emitter, output: Value, labels: Value, weights?: Value): Value;
  /**
   * Refuses labels that the output cannot stand for, before a run sees them.
   *
   * @param units the size of the output's last dimension
   * @param place what to call the batch: "batch 3 of epoch 1"
   * @throws TARGET_INVALID naming the row, the label and what would fit
   */
  check(labels: Tensor, units: number, place: string): void;
}
