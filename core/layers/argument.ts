import { EspalierError } from "../errors.ts";
import type { Value } from "../operators/operator.ts";

/** One size; a list of one is the same. */
export type Single = number | readonly [number];

/** Height and width; one number stands for both. */
export type Pair = number | readonly [height: number, width: number];

/** Depth, height and width; one number stands for all. */
export type Triple = number | readonly [depth: number, height: number, width: number];

/** Sizes of some number of axes; one number stands for all. */
export type Sizes = number | readonly number[];

/**
 * A layer's size argument, checked.
 *
 * @param smallest default 1
 * @throws ARGUMENT_INVALID unless it is a whole number from `smallest`
 */
export function checkSize(where: string, argument: string, value: number, smallest = 1): number {
  if (Number.isSafeInteger(value) && value >= smallest) return value;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: ${argument} must be a whole number from ${smallest}, not ${String(value)}`, {
    argument,
    value,
  });
}

/** One size for each of `axes` axes, checked and spread. @throws ARGUMENT_INVALID */
export function checkSizes(
  where: string,
  argument: string,
  value: Sizes,
  { axes, smallest = 1 }: { readonly axes: number; readonly smallest?: number },
): readonly number[] {
  const all: readonly number[] = typeof value === "object" ? value : Array.from({ length: axes }, () => value);
  if (all.length !== axes) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${where}: ${argument} must be one number or ${axesList[axes] ?? `a list of ${axes}`}, not [${all.join(", ")}]`,
      {
        argument,
        value,
      },
    );
  }
  return all.map((size) => checkSize(where, argument, size, smallest));
}

const axesList: Readonly<Record<number, string>> = { 1: "[length]", 2: "[height, width]", 3: "[depth, height, width]" };

/** A number argument within bounds. @throws ARGUMENT_INVALID */
export function checkNumber(
  where: string,
  argument: string,
  value: number,
  { from = -Infinity, below = Infinity, above = -Infinity, to = Infinity }: Bounds = {},
): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= from && value < below && value > above && value <= to) return value;
  const bounds = [
    from > -Infinity && `from ${from}`,
    above > -Infinity && `above ${above}`,
    below < Infinity && `below ${below}`,
    to < Infinity && `at most ${to}`,
  ].filter((part) => part !== false);
  const wanted = ["a number", bounds.join(" and ")].filter((part) => part !== "").join(" ");
  throw new EspalierError("ARGUMENT_INVALID", `${where}: ${argument} must be ${wanted}, not ${String(value)}`, { argument, value });
}

/** Where a number may be: from and to are included, above and below are not. */
export interface Bounds {
  readonly from?: number;
  readonly below?: number;
  readonly above?: number;
  readonly to?: number;
}

/** A list argument of numbers. @param example what to write, for the error @throws ARGUMENT_INVALID */
export function checkNumberList(where: string, argument: string, value: readonly number[], example: string): readonly number[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "number")) return value;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: ${argument} must be a list of numbers, such as ${example}, not ${JSON.stringify(value)}`, {
    argument,
    value,
  });
}

/** What a check gives; a refusal says first which argument it is about. */
export function naming<Result>(where: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    throw new EspalierError(error.code, `${where}: ${error.message}`, error.details, { cause: error });
  }
}

/** A value's sizes after the batch dimension; undefined when one of them is the batch dimension too. */
export function featureSizes(value: Value): readonly number[] | undefined {
  const sizes = value.shape.slice(1);
  return sizes.every((size) => size !== "batch") ? sizes : undefined;
}

/** The size of an axis, counted from the end where negative; undefined where there is none or it is the batch. */
export function sizeOf(value: Value, axis: number): number | undefined {
  const size = value.shape.at(axis);
  return typeof size === "number" ? size : undefined;
}
