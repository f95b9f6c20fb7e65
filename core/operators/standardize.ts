import type { Emitter, Value } from "./operator.ts";

/** A value's distance from its mean over axes, and what scales it to a variance of 1. */
export interface Standardized {
  /** Size 1 along the axes. */
  readonly mean: Value;
  readonly centred: Value;
  /** The mean of the squared distances: the population's variance. */
  readonly variance: Value;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: Value;
}

/**
 * Takes a value apart into mean and deviation over axes.
 *
 * The variance comes from centred values: E[x^2] - E[x]^2 has no digits left where the mean is much larger than the deviation.
 */
export function standardize(emit: Emitter, x: Value, { axes, epsilon }: { axes: readonly number[]; epsilon: number }): Standardized {
  const mean = emit.op("ReduceMean", [x, emit.ints(axes)], { keepdims: 1 });
  const centred = emit.op("Sub", [x, mean]);
  const variance = meanOfSquares(emit, centred, axes);
  return { mean, centred, variance, inverse: inverseRoot(emit, variance, epsilon) };
}

/** The mean of squares over axes, which stay with size 1. */
export function meanOfSquares(emit: Emitter, x: Value, axes: readonly number[]): Value {
  return emit.op("ReduceMean", [emit.op("Mul", [x, x]), emit.ints(axes)], { keepdims: 1 });
}

/** 1 / sqrt(x + epsilon). */
export function inverseRoot(emit: Emitter, x: Value, epsilon: number): Value {
  return emit.op("Reciprocal", [emit.op("Sqrt", [emit.op("Add", [x, emit.scalar(epsilon, x.dtype)])])]);
}
