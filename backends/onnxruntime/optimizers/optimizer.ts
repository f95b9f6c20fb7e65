import type { Attributes, TypedArray } from "../../../core/index.ts";
import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";

/** The memory of a float state value or gradient. */
export type FloatArray = Float32Array | Float64Array;

/** What all parameters of one optimizer node share in a step. */
export interface OptimizerSetting {
  /** The learning rate R. */
  readonly rate: number;
  /** The update count T. */
  readonly step: number;
  readonly attributes: Attributes;
}

/** One parameter's update: everything is of the parameter's length and in row-major order. */
export interface ParameterUpdate extends OptimizerSetting {
  /** Overwritten. */
  readonly parameter: FloatArray;
  readonly gradient: FloatArray;
  /** Overwritten; in the order of the operator's inputs (Adam: V, H). */
  readonly slots: readonly FloatArray[];
}

/** Four elements' values at a time. */
export interface OptimizerVectors {
  readonly parameter: Local;
  readonly slots: readonly Local[];
}

/** The same update in float32 vectors. */
export interface OptimizerKernel {
  /** Slots a parameter has. */
  readonly slots: number;
  /** Names of the numbers that do not change within a step, in the order of the kernel's parameters. */
  readonly constants: readonly string[];
  /** Their values, computed in float64. */
  values(setting: OptimizerSetting): Readonly<Record<string, number>>;
  /** Emits the formula and returns the new values. */
  emit(code: FunctionBuilder, old: OptimizerVectors & { readonly gradient: Local }, constant: (name: string) => Local): OptimizerVectors;
}

/**
 * An optimizer operator as one pass over host memory, in place of graph nodes.
 *
 * The operator is variadic: inputs R, T, X1..Xn, G1..Gn and n of each slot; outputs X'1..X'n and n of each slot.
 */
export interface FusedOptimizer {
  /** The ONNX operator that it computes. */
  readonly operator: string;
  /** The plain path. */
  update(update: ParameterUpdate): void;
  /** The fast path: float32 in an arena. Optimizers without one take the plain path everywhere. */
  readonly kernel?: OptimizerKernel;
}

/** Float memory, for arithmetic. */
export function isFloatArray(memory: TypedArray | readonly string[]): memory is FloatArray {
  return memory instanceof Float32Array || memory instanceof Float64Array;
}
