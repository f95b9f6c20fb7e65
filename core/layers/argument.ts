import { EspalierError } from "../errors.ts";
import type { Value } from "../operators/operator.ts";

/** Height and width; one number stands for both. */
export type Pair = number | readonly [height: number, width: number];

/**
 * A layer's size argument, checked.
 *
 * @throws ARGUMENT_INVALID unless it is a whole number from 1
 */
export function checkSize(where: string, argument: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: ${argument} must be a whole number from 1, not ${String(value)}`, { argument, value });
}

/** A pair argument, checked and spread. @throws ARGUMENT_INVALID */
export function checkPair(where: string, argument: string, value: Pair): readonly [number, number] {
  const both: readonly [number, number] = typeof value === "number" ? [value, value] : value;
  if ((both.length as number) !== 2) {
    throw new EspalierError("ARGUMENT_INVALID", `${where}: ${argument} must be one number or [height, width], not [${both.join(", ")}]`, {
      argument,
      value,
    });
  }
  return [checkSize(where, argument, both[0]), checkSize(where, argument, both[1])];
}

/** A value's sizes after the batch dimension; undefined when one of them is the batch dimension too. */
export function featureSizes(value: Value): readonly number[] | undefined {
  const sizes = value.shape.slice(1);
  return sizes.every((size) => size !== "batch") ? sizes : undefined;
}
