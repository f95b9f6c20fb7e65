import type { Tensor, Tensors, TypedArray } from "../../tensor.ts";

/** One metric's sums over a pass. */
export interface MetricSums {
  /** @param outputs the model's outputs for one batch @param labels as fed */
  add(outputs: Tensors, labels: Tensor): void;
  /** The metric over everything added so far. */
  result(): number;
}

/** A number that is followed on validation rows while training, computed batch by batch. */
export interface Metric {
  readonly name: string;
  start(): MetricSums;
}

/** The numbers of a fed or computed tensor. */
export function numbers(value: Tensor | undefined): TypedArray {
  return (value?.data ?? new Float32Array()) as TypedArray; // outputs and labels are numeric
}
