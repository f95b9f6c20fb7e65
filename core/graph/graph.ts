import type { DType, Tensor } from "../tensor.ts";

/** A value's name inside one graph. The empty string in a node's inputs marks an optional input that is left out, as in ONNX. */
export type ValueName = string;

/** A size, or the one symbolic dimension, which a run's feeds give a value. */
export type Dimension = number | "batch";

/** What is known of a value before running: element type and shape. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly Dimension[];
}

/** Random numbers that a run is fed: drawn anew each time, by whoever runs the graph. */
export type RandomFeed =
  | { readonly distribution: "uniform" /** From 0 to below 1. */ }
  | { readonly distribution: "normal" /** Mean 0, standard deviation 1. */ }
  | { readonly distribution: "bernoulli"; /** Of true. */ readonly probability: number };

/** A tensor that every run is fed. */
export interface GraphInput extends ValueType {
  readonly name: ValueName;
  /** Present where no one has the values but a random generator: dropout masks and noise of a training step. */
  readonly random?: RandomFeed;
}

/** A tensor that lives with the executable between runs: a parameter, an optimizer's slot or a running statistic. */
export interface StateValue {
  readonly name: ValueName;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Parameters are what training differentiates by and what a bundle keeps; slots belong to the optimizer and to checkpoints. */
  readonly role: "parameter" | "slot" | "statistic";
}

/** An ONNX attribute's value. The operator's definition says which kind an attribute has. */
export type Attribute = number | string | readonly number[] | readonly string[];

/** One application of an operator. */
export interface Node {
  /** Unique in the graph; errors and profiles speak of it. */
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly ValueName[];
  readonly outputs: readonly ValueName[];
  /** Only what was given; defaults are in the operator's definition. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * A model, or one training step of it, as plain data: ONNX operators (opset 21) over named values.
 *
 * Every value has one definition: an input, a state value, a constant or a node's output. Nodes are in topological order.
 */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  /** What a run returns: public name to value. Two names may stand for one value. */
  readonly outputs: Readonly<Record<string, ValueName>>;
  readonly state: readonly StateValue[];
  readonly constants: Readonly<Record<ValueName, Tensor>>;
  readonly nodes: readonly Node[];
  /** What a run writes back at its end, all at once: state name to value. */
  readonly updates: Readonly<Record<ValueName, ValueName>>;
  /** The inferred type of every value. */
  readonly values: Readonly<Record<ValueName, ValueType>>;
}

/** A shape as errors print it: `[batch, 64]`. */
export function formatShape(shape: readonly Dimension[]): string {
  return `[${shape.join(", ")}]`;
}
