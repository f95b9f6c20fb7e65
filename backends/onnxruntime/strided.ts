import type { ValueName } from "../../core/index.ts";

/** A value's elements seen in another order: axes with distances in floats, and a factor. */
export interface Strided {
  /** Where the elements are. */
  readonly value: ValueName;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly scale: number;
}

/** A value as it is: the last axis lies together. */
export function strided(value: ValueName, shape: readonly number[]): Strided {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return { value, shape, strides, scale: 1 };
}
