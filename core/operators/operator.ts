import type { Attribute, Dimension, RandomFeed, ValueName, ValueType } from "../graph/graph.ts";
import type { DType, Tensor } from "../tensor.ts";

/** A value while a graph is being built. */
export interface Value extends ValueType {
  readonly name: ValueName;
}

/** How an attribute is read and what it is when it is left out; no `default` and not `required` means absent. */
export interface AttributeSpec {
  readonly kind: "int" | "float" | "string" | "ints" | "floats" | "strings";
  readonly default?: Attribute;
  readonly required?: boolean;
}

/** The attributes of a node after defaults were filled in and kinds were checked. */
export interface Attributes {
  int(name: string): number;
  float(name: string): number;
  string(name: string): string;
  ints(name: string): readonly number[];
  strings(name: string): readonly string[];
  has(name: string): boolean;
}

/** What a shape rule sees. */
export interface InferContext {
  readonly inputs: readonly (ValueType | undefined)[];
  readonly attributes: Attributes;
  /** The number of outputs that the node names. */
  readonly outputCount: number;
  /** A required input's type. */
  readonly input: (index: number) => ValueType;
  /** An input's contents when they are known while building (axes, shapes, pads). */
  readonly constant: (index: number) => Tensor | undefined;
  /** The contents of a small input, "batch" included, when they follow from constants and shapes. */
  readonly dimensions: (index: number) => readonly Dimension[] | undefined;
  /** Throws GRAPH_SHAPE with the node's name, its operator and every input's shape before the message. */
  readonly fail: (message: string) => never;
}

/** The part of the builder that gradient rules and lowerings write with. */
export interface Emitter {
  /** Adds a node with one output. */
  op(operator: string, inputs: readonly (Value | undefined)[], attributes?: Readonly<Record<string, Attribute>>): Value;
  /** Adds a node with `count` outputs. */
  ops(operator: string, inputs: readonly (Value | undefined)[], count: number, attributes?: Readonly<Record<string, Attribute>>): readonly Value[];
  constant(value: Tensor): Value;
  /** A scalar constant of a dtype. */
  scalar(value: number, dtype: DType): Value;
  /** A one-dimensional int64 constant: axes, shapes, pads. */
  ints(values: readonly number[]): Value;
}

/** What a gradient rule sees. */
export interface GradientContext {
  readonly emit: Emitter;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** d loss / d output, for each output; undefined where the loss does not depend on it. */
  readonly gradients: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  /** Whether anyone asks for the gradient of this input. */
  readonly needs: (index: number) => boolean;
  /** A required input. */
  readonly input: (index: number) => Value;
  readonly constant: (index: number) => Tensor | undefined;
  /** Throws GRAPH_NOT_DIFFERENTIABLE with the node's name and operator before the message. */
  readonly refuse: (message: string) => never;
}

/** What a lowering sees: it writes the node in simpler operators and returns its outputs. */
export interface LowerContext {
  readonly emit: Emitter;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputTypes: readonly ValueType[];
  readonly attributes: Attributes;
  /** A required input. */
  readonly input: (index: number) => Value;
  readonly constant: (index: number) => Tensor | undefined;
}

/** What a training rule sees: it writes the node as a training step needs it and returns its outputs. */
export interface TrainingContext extends LowerContext {
  /** Random numbers of this shape, fed anew in every step. @param shape sizes, and "batch" where the node's values have it */
  readonly random: (feed: RandomFeed, dtype: DType, shape: readonly Dimension[]) => Value;
  /** At the end of the step `value` becomes the state value that is the node's input `index`. */
  readonly update: (index: number, value: Value) => void;
}

/**
 * The definition of one operator: name and meaning of ONNX, with the rules that the graph needs.
 *
 * Kernels are not here: each backend has its own. `domain` "espalier" holds the few operators that only training graphs use
 * (gradients that every backend computes in its own best way); each has a `lower` in standard operators.
 */
export interface Operator {
  readonly name: string;
  readonly domain: "" | "ai.onnx.ml" | "ai.onnx.preview.training" | "espalier";
  /** The version of ONNX's operator set that brought it, where that is later than 21: a file of opset 21 cannot hold it as it is. */
  readonly opset?: number;
  /** Fewest and most inputs and outputs; `Infinity` where variadic. */
  readonly inputs: readonly [min: number, max: number];
  readonly outputs: readonly [min: number, max: number];
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
  /** Whether two nodes of it on the same inputs are two, as where each draws numbers of its own or counts by itself: simplification does not merge them. */
  readonly isDistinct?: boolean;
  /** Types of the outputs, one for each output that the node names. */
  infer(context: InferContext): readonly ValueType[];
  /** The contents of the first output, where they follow from shapes and constants; lets Reshape and Expand take a computed shape. Not called for large ones. */
  contents?(context: InferContext): readonly Dimension[] | undefined;
  /**
   * Gradients for each input, undefined where it is zero or not asked for. Absent: the gradient goes through `lower`; without
   * that either, the operator is not differentiable (throws when a path needs it).
   */
  gradient?(context: GradientContext): readonly (Value | undefined)[];
  /** The node in simpler operators, for backends without a kernel for it. */
  lower?(context: LowerContext): readonly Value[];
  /**
   * The node as a training step needs it, where that is another than in prediction: with fed noise, or with running statistics that are
   * written back. Absent: the same.
   */
  training?(context: TrainingContext): readonly Value[];
}

/** Whether two dimensions are known to be equal. */
export function sameShape(a: readonly Dimension[], b: readonly Dimension[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
