import type { ActivationName } from "../layers/activation.ts";
import { dense } from "../layers/dense.ts";
import { sequential } from "../layers/sequential.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";

/** What a multilayer perceptron is made of. */
export interface MlpOptions {
  /** The number of features: the width of the input `features`. */
  readonly width: number;
  readonly head: Head;
  /** Training rows, from which the default size comes. */
  readonly rows?: number;
  /** Units of each hidden layer, by default from `rows`. */
  readonly hidden?: readonly number[];
  readonly activation?: ActivationName;
  readonly seed?: number;
}

/**
 * Dense layers from `features` [batch, width] with an activation between them.
 *
 * @throws ARGUMENT_INVALID
 */
export function mlp({ width, head, rows = 1000, hidden = defaultHidden(rows), activation = "relu", seed = 0 }: MlpOptions): Model {
  const { units, output } = headUnits(head);
  return sequential({
    name: "mlp",
    input: { name: "features", shape: [width] },
    layers: [...hidden.map((size) => dense({ units: size, activation, kernelInitializer: "heNormal" })), dense({ units })],
    output,
    seed,
    config: { name: "mlp", width, hidden, activation, units, seed },
  });
}

/** Two hidden layers; more rows can fill wider ones. */
function defaultHidden(rows: number): readonly number[] {
  if (rows < 2_000) return [64, 32];
  if (rows < 20_000) return [128, 64];
  return [256, 128];
}
