import type { Dimension } from "../../graph/graph.ts";
import { checkNames } from "../../nearest.ts";
import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import type { DType, Tensor } from "../../tensor.ts";
import type { Loss } from "./loss.ts";

/** What every loss takes. */
export interface LossOptions {
  /** The model's output that it reads. */
  readonly output?: string;
}

/** The parts of a batch's loss, and how much each counts. */
export interface CountedLosses {
  /** [batch, ...], each already times its count. */
  readonly losses: Value;
  /** The same shape. */
  readonly counts: Value;
}

/** A loss by its parts; `createLoss` makes means of them. */
export interface LossDefinition {
  readonly name: string;
  readonly output: string;
  /** What it was given besides its arguments: refused, unless there is nothing. */
  readonly others?: object;
  /** Its arguments. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** @throws GRAPH_SHAPE when the output has another rank */
  readonly labels: (output: Value) => { readonly dtype: DType; readonly shape: readonly Dimension[] };
  /** Losses [batch, ...] whose mean is minimised: all that belong to a row count alike, or as their counts say. */
  readonly losses: (emit: Emitter, output: Value, labels: Value) => Value | CountedLosses;
  /** See `Loss.check`. */
  readonly check: (labels: Tensor, units: number, place: string) => void;
}

/**
 * A loss of its own formula, as a mean over the batch, or weighted by rows.
 *
 * @throws ARGUMENT_INVALID for an argument that it has not, with the nearest name
 * @example
 * const cubic = createLoss({ name: "cubic", output: "prediction", labels: ({ shape }) => ({ dtype: "float32", shape }),
 *   losses: (emit, output, labels) => emit.op("Pow", [emit.op("Abs", [emit.op("Sub", [output, labels])]), emit.scalar(3, "float32")]),
 *   check: () => undefined });
 */
export function createLoss({ name, output, others = {}, config = {}, labels, losses, check }: LossDefinition): Loss {
  checkNames(name, others, [...Object.keys(config), "output"]);
  return {
    name,
    config: { ...config, output },
    output,
    labels,
    build(emit, value, truth, weights) {
      const parts = losses(emit, value, truth);
      return "counts" in parts ? countedMean(emit, parts, weights) : mean(emit, parts, weights);
    },
    check,
  };
}

/** A loss's mean over the batch. @param weights float32 [batch] @returns a scalar */
export function mean(emit: Emitter, losses: Value, weights: Value | undefined): Value {
  const { div, mul, sum, mean: average } = formula(emit);
  if (weights === undefined) return average(losses);
  const rows = losses.shape.length === 1 ? losses : average(losses, axesBesideBatch(losses));
  return div(sum(mul(rows, weights)), sum(weights));
}

/** The same over what counts; a batch in which nothing counts has a loss of 0. */
function countedMean(emit: Emitter, { losses, counts }: CountedLosses, weights: Value | undefined): Value {
  const { div, max, mul, sum } = formula(emit);
  const total = (value: Value): Value => {
    if (weights === undefined) return sum(value);
    return sum(mul(value.shape.length === 1 ? value : sum(value, axesBesideBatch(value)), weights));
  };
  return div(total(losses), max(total(counts), 1e-12));
}

function axesBesideBatch({ shape }: Value): readonly number[] {
  return shape.slice(1).map((_, i) => i + 1);
}
