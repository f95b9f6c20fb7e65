import type { LayerCall } from "../models/layer-call.ts";
import { EspalierError } from "../errors.ts";
import { checkNames } from "../nearest.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import type { Tensor } from "../tensor.ts";
import type { Constraint } from "../training/constraint.ts";
import { checkRegularizer, type Regularizer } from "../training/regularizer.ts";
import { naming } from "./argument.ts";
import type { Initializer } from "./initializer.ts";

/** How a parameter starts and what holds it in training. */
export interface ParameterOptions {
  /** A tensor gives the very values. */
  readonly initializer: Initializer | Tensor;
  /** How many inputs feed one output, for initialisers that scale by it; by default the product of all sizes but the last. */
  readonly fanIn?: number;
  /** How many outputs one input feeds; by default the last size. */
  readonly fanOut?: number;
  /** How many rows the parameter has as a matrix, for the orthogonal initialiser; by default the product of all sizes but the last. */
  readonly rows?: number;
  /** Training leaves this one parameter as it is. */
  readonly frozen?: boolean | undefined;
  readonly regularizer?: Regularizer | undefined;
  readonly constraint?: Constraint | undefined;
}

/** What a layer writes with. */
export interface LayerContext {
  /** Adds nodes and constants to the graph. */
  readonly emit: Emitter;
  /**
   * A trained float32 tensor of this layer. The state's name is `<layer's name>/<name>`; a layer that is applied a second time gets the same tensor back.
   *
   * @throws ARGUMENT_INVALID when a second application needs another shape
   */
  readonly parameter: (name: string, shape: readonly number[], options: ParameterOptions) => Value;
  /** Like `parameter`, but learned from what passes by and not by gradients: running means. Its role is "statistic". */
  readonly statistic: (name: string, shape: readonly number[], options: Pick<ParameterOptions, "initializer" | "frozen">) => Value;
  /** Which places of a value count: bool [batch, time], true for those that do; undefined where all do. */
  readonly maskOf: (value: Value) => Value | undefined;
  /** Says which places of an output count, for the layers after this one. */
  readonly setMask: (value: Value, mask: Value) => void;
  /** Applies a layer inside this one: its state is called `<this layer's name>/<that layer's name>/...`. */
  readonly apply: <Output extends LayerOutput>(layer: Layer<Output>, input: Value, ...others: readonly Value[]) => Output;
  /** Refuses the input: throws GRAPH_SHAPE with the layer's name and every input's shape before the message. */
  readonly fail: (message: string) => never;
}

/** What a layer gives: one value, or several. */
export type LayerOutput = Value | readonly Value[];

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
export interface Layer<Output extends LayerOutput = Value> {
  /** The class name that Keras gives it. */
  readonly kind: string;
  /** What state names and errors call it; by default the kind in Keras's snake case, numbered from the second of its kind: "dense", "batch_normalization_1". */
  readonly name?: string;
  /** The arguments, with defaults filled in, as plain JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** When false, training leaves the layer's state as it is. Default true. */
  readonly trainable?: boolean;
  /** A penalty on each of its outputs, added to the training loss. */
  readonly activityRegularizer?: Regularizer;
  /** Whether it takes several inputs. */
  readonly merges?: boolean;
  /** Whether its output has the mask of its first input, as for layers that work on each place alone. Default false: the mask ends here. */
  readonly passesMask?: boolean;
  /** Whether it works on the last dimension alone, whatever dimensions are before it. Default false. */
  readonly placewise?: boolean;
  /** The calls of the model that it copies, where it is one: for configurations and summaries. */
  readonly inner?: readonly LayerCall[];
  /** @param input [batch, ...] @param others further inputs of a layer that merges */
  apply(context: LayerContext, input: Value, ...others: readonly Value[]): Output;
}

/** What every layer takes besides its own arguments. */
export interface LayerName {
  readonly name?: string | undefined;
  /** When false, training leaves the layer's state as it is. Default true. */
  readonly trainable?: boolean | undefined;
  /** A penalty on the layer's output, divided by the rows of the batch and added to the training loss. */
  readonly activityRegularizer?: Regularizer | undefined;
}

/** The members of a layer that every layer has, where they were given. @throws ARGUMENT_INVALID for a regulariser that is none */
export function named({ name, trainable, activityRegularizer }: LayerName): Pick<Layer, "name" | "trainable" | "activityRegularizer"> {
  return {
    ...(name !== undefined && { name }),
    ...(trainable !== undefined && { trainable }),
    ...(activityRegularizer !== undefined && { activityRegularizer: naming("activityRegularizer", () => checkRegularizer(activityRegularizer)) }),
  };
}

/** Arguments that are true or false in every layer that has them. */
const switches: readonly string[] =
  "center goBackwards invert keepdims maskZero normalize resetAfter returnSequences returnState unitForgetBias useBias useCausalMask zeroOutputForMask".split(
    " ",
  );

/**
 * What a layer says of itself, made of what it was given: its kind, its name and its arguments.
 *
 * @param given its options, or those that were not taken out of them yet
 * @param config its arguments with defaults filled in, as `Layer.config`
 * @throws ARGUMENT_INVALID for an option that is no argument of it, with the nearest name; for a regulariser that is none
 */
export function described(
  kind: string,
  given: LayerName,
  config: Layer["config"],
): Pick<Layer, "kind" | "config" | "name" | "trainable" | "activityRegularizer"> {
  const names = Object.keys(config);
  const wrong = switches.find((name) => config[name] !== undefined && typeof config[name] !== "boolean");
  if (wrong !== undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `${kind}: ${wrong} must be true or false, not ${JSON.stringify(config[wrong])}`, { argument: wrong });
  }
  // A weight's penalty and constraint are in `config` where they are given.
  const weights = names.filter((name) => name.endsWith("Initializer")).map((name) => name.slice(0, -"Initializer".length));
  const held = weights.flatMap((weight) => [`${weight}Regularizer`, `${weight}Constraint`]).filter((name) => !name.startsWith("moving"));
  checkNames(kind, given, [...names, "name", "trainable", "activityRegularizer", ...held]);
  return { kind, ...named(given), config };
}

/** All of a layer's arguments, those that every layer has included. */
export function configOf({ config, activityRegularizer }: Pick<Layer, "config" | "activityRegularizer">): Layer["config"] {
  return activityRegularizer === undefined ? config : { ...config, activityRegularizer };
}

/** A class name as Keras writes a layer's default name: "MaxPooling2D" is "max_pooling2d". */
export function snakeCase(kind: string): string {
  return kind
    .replaceAll(/(.)([A-Z][a-z0-9]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
