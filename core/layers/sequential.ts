import type { Model } from "../models/model.ts";
import type { Layer } from "./layer.ts";
import { Network } from "./network.ts";

/** One input, a chain of layers, one output. */
export interface SequentialOptions {
  readonly name?: string;
  /** One row's shape, without the batch dimension. */
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly layers: readonly Layer[];
  /** The output's public name: `logits` for classification, `prediction` for regression. */
  readonly output: string;
  readonly seed?: number;
  /** What the model says of itself; by default its layers. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * A model of layers in a row.
 *
 * @example
 * const model = sequential({
 *   input: { name: "features", shape: [4] },
 *   layers: [dense({ units: 16, activation: "relu" }), dense({ units: 3 })],
 *   output: "logits",
 *   seed: 1,
 * });
 */
export function sequential({ name = "sequential", input, layers, output, seed = 0, config }: SequentialOptions): Model {
  const network = new Network(name, { seed });
  const start = network.input(input.name, input.shape);
  network.output(
    output,
    layers.reduce((value, layer) => network.apply(layer, value), start),
  );
  return config === undefined ? network.build() : network.build(config);
}
