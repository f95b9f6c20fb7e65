import { EspalierError } from "../../errors.ts";
import { formatShape } from "../../graph/graph.ts";
import { formula } from "../../operators/formula.ts";
import type { Value } from "../../operators/operator.ts";
import { checkArgument } from "./labels.ts";
import type { Loss } from "./loss.ts";

/** A loss and how much it counts; default 1. */
export interface WeightedLoss {
  readonly loss: Loss;
  readonly weight?: number;
}

/**
 * Several losses of one output and the same labels as one: cross-entropy with Dice, for example. For several outputs give `fit` a list of losses.
 *
 * @throws ARGUMENT_INVALID for an empty list, losses of different outputs, or a weight below 0; GRAPH_SHAPE when they want different labels
 * @example weightedSum([{ loss: binaryCrossentropy() }, { loss: dice(), weight: 0.5 }])
 */
export function weightedSum(terms: readonly [WeightedLoss, ...WeightedLoss[]]): Loss {
  const outputs = [...new Set(terms.map(({ loss }) => loss.output))];
  const [output] = outputs;
  if (output === undefined || outputs.length > 1) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `weightedSum: its losses must read one output, not ${outputs.join(" and ") || "none"}; give fit a list of losses`,
      {
        outputs,
      },
    );
  }
  for (const { loss, weight = 1 } of terms)
    checkArgument("weightedSum", { [`weight of ${loss.name}`]: weight }, { fits: (value) => value >= 0, range: "a number from 0" });
  return {
    name: "weightedSum",
    config: { losses: terms.map(({ loss, weight = 1 }) => ({ name: loss.name, weight, ...loss.config })) },
    output,
    labels(value) {
      const [first, ...others] = terms.map(({ loss }) => ({ name: loss.name, ...loss.labels(value) }));
      for (const other of others) {
        if (first === undefined || (other.dtype === first.dtype && formatShape(other.shape) === formatShape(first.shape))) continue;
        throw new EspalierError(
          "GRAPH_SHAPE",
          `weightedSum: ${first.name} wants labels ${first.dtype} ${formatShape(first.shape)}, ${other.name} ${other.dtype} ${formatShape(other.shape)}; choose losses of one kind of label`,
          { losses: [first.name, other.name] },
        );
      }
      return terms[0].loss.labels(value);
    },
    build(emit, value, labels, weights) {
      const { add, mul } = formula(emit);
      return terms.map(({ loss, weight = 1 }): Value => mul(loss.build(emit, value, labels, weights), weight)).reduce((sum, part) => add(sum, part));
    },
    check(labels, units, place) {
      for (const { loss } of terms) loss.check(labels, units, place);
    },
  };
}
