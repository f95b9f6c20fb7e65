import type { Tensor, Tensors, TypedArray } from "../../tensor.ts";

/** One metric's sums over a pass. */
export interface MetricSums {
  /**
   * @param outputs the model's outputs for one batch
   * @param labels as fed
   * @param weights float32 [batch], when rows are weighted: a row counts as much as its weight says
   */
  add(outputs: Tensors, labels: Tensor, weights?: Tensor): void;
  /** The metric over everything added so far. */
  result(): number;
}

/** A number that is followed on validation rows while training, computed batch by batch. */
export interface Metric {
  readonly name: string;
  /** The model's output that it reads, when it is one: a model without it is refused before training. */
  readonly output?: string;
  /** The batches' input with its labels. Default: that of the loss that reads the same output, else of the first loss. */
  readonly labels?: string;
  start(): MetricSums;
}

/** The numbers of a fed or computed tensor. */
export function numbers(value: Tensor | undefined): TypedArray {
  return (value?.data ?? new Float32Array()) as TypedArray; // outputs and labels are numeric
}

/** How much a row counts: 1 without weights. @param weights float32 [batch] */
export function rowWeight(weights: Tensor | undefined, row: number): number {
  return weights === undefined ? 1 : Number(weights.data[row]);
}
