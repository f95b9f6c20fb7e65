import { dense } from "../layers/dense.ts";
import { sequential } from "../layers/sequential.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";

/** What a linear model is made of. */
export interface LinearOptions {
  /** The number of features: the width of the input `features`. */
  readonly width: number;
  readonly head: Head;
  readonly seed?: number;
}

/**
 * Linear or logistic regression: one dense layer from `features` [batch, width]. The floor that a network must beat.
 *
 * It starts at zero, so the first prediction is the mean, or all classes alike.
 *
 * @throws ARGUMENT_INVALID
 */
export function linear({ width, head, seed = 0 }: LinearOptions): Model {
  const { units, output } = headUnits(head);
  return sequential({
    name: "linear",
    input: { name: "features", shape: [width] },
    layers: [dense({ units, kernelInitializer: "zeros" })],
    output,
    seed,
    config: { name: "linear", width, units, seed },
  });
}
