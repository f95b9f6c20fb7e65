import type { Emitter, Value } from "../operators/operator.ts";
import type { Initializer } from "./initializer.ts";

/** How a parameter starts. */
export interface ParameterOptions {
  readonly initializer: Initializer;
  /** How many inputs feed one output, for initialisers that scale by it; by default the product of all sizes but the last. */
  readonly fanIn?: number;
  /** How many outputs one input feeds; by default the last size. */
  readonly fanOut?: number;
}

/** What a layer writes with. */
export interface LayerContext {
  /** Adds nodes and constants to the graph. */
  readonly emit: Emitter;
  /**
   * A trained tensor of this layer. The state's name is `<layer's name>/<name>`; a layer that is applied a second time gets the same tensor back.
   *
   * @throws ARGUMENT_INVALID when a second application needs another shape
   */
  readonly parameter: (name: string, shape: readonly number[], options: ParameterOptions) => Value;
  /** Refuses the input: throws GRAPH_SHAPE with the layer's name and every input's shape before the message. */
  readonly fail: (message: string) => never;
}

/**
 * One layer: plain data and a function that writes operators.
 *
 * @example
 * // A layer of one's own: x * scale, one trained number per feature.
 * const scale = (): Layer => ({
 *   kind: "Scale",
 *   config: {},
 *   apply: ({ emit, parameter }, x) => emit.op("Mul", [x, parameter("scale", [x.shape[1] as number], { initializer: "ones" })]),
 * });
 */
export interface Layer {
  /** The class name that Keras gives it. */
  readonly kind: string;
  /** What state names and errors call it; by default the kind in lower case, numbered from the second of its kind: "dense", "dense_1". */
  readonly name?: string;
  /** The arguments, with defaults filled in, as plain JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether it takes several inputs. */
  readonly merges?: boolean;
  /** @param input [batch, ...] @param others further inputs of a layer that merges */
  apply(context: LayerContext, input: Value, ...others: readonly Value[]): Value;
}

/** What every layer takes besides its own arguments. */
export interface LayerName {
  readonly name?: string;
}

/** The `name` member of a layer when one was given. */
export function named(name: string | undefined): LayerName {
  return name === undefined ? {} : { name };
}
