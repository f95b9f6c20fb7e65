import type { Attributes, TypedArray } from "../../../core/index.ts";

/** The memory of a float state value or gradient. */
export type FloatArray = Float32Array | Float64Array;

/** One parameter's update: everything is of the parameter's length and in row-major order. */
export interface ParameterUpdate {
  /** Overwritten. */
  readonly parameter: FloatArray;
  readonly gradient: FloatArray;
  /** Overwritten; in the order of the operator's inputs (Adam: V, H). */
  readonly slots: readonly FloatArray[];
  /** The learning rate R. */
  readonly rate: number;
  /** The update count T. */
  readonly step: number;
  readonly attributes: Attributes;
}

/**
 * An optimizer operator as one pass over host memory, in place of graph nodes.
 *
 * The operator is variadic: inputs R, T, X1..Xn, G1..Gn and n of each slot; outputs X'1..X'n and n of each slot.
 */
export interface FusedOptimizer {
  /** The ONNX operator that it computes. */
  readonly operator: string;
  update(update: ParameterUpdate): void;
}

/** Float memory, for arithmetic. */
export function isFloatArray(memory: TypedArray | readonly string[]): memory is FloatArray {
  return memory instanceof Float32Array || memory instanceof Float64Array;
}
