import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../operators/operator.ts";

/** What an optimizer writes its update from; the lists run in parallel. */
export interface OptimizerContext {
  readonly builder: GraphBuilder;
  readonly parameters: readonly Value[];
  readonly gradients: readonly Value[];
  /** float32 [], the graph's input `learning_rate`. */
  readonly learningRate: Value;
  /** int64 [], the graph's input `step`: 1 in the first run. */
  readonly step: Value;
}

/** How parameters move along their gradients. */
export interface Optimizer {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The rate that a constant schedule feeds. */
  readonly learningRate: number;
  /** Adds the update's nodes, its slots and the graph's updates. */
  apply(context: OptimizerContext): void;
}
