import { EspalierError } from "./errors.ts";
import { deriveSeed, mix } from "./random.ts";

/** What a permutation is made of: the same three numbers give the same order, everywhere. */
export interface PermutationOptions {
  /** How many indices: 0 to 2^52. */
  readonly length: number;
  readonly seed: number;
  /** Each epoch has an order of its own. Default 0. */
  readonly epoch?: number;
}

/** Enough that neighbours in the input are unrelated in the output, for domains of a few items too. */
const rounds = 8;

/**
 * A shuffle that keeps no list: position i of the shuffled order holds the index `permutation(...)(i)`.
 *
 * A keyed Feistel network permutes the numbers below the next power of four, and results outside the range go through it again
 * (cycle walking). So the place of a shuffled data set in training is (seed, epoch, position), any position is reached at equal cost, and
 * readers that take every n-th position see disjoint rows.
 *
 * @returns a function from a position to an index, both from 0 to length - 1; one to one
 * @throws ARGUMENT_INVALID for a length outside 0 to 2^52, or, from the function, for a position outside the range
 * @see J. Black, P. Rogaway, Ciphers with arbitrary finite domains, CT-RSA 2002
 */
export function permutation({ length, seed, epoch = 0 }: PermutationOptions): (position: number) => number {
  if (!Number.isSafeInteger(length) || length < 0 || length > 2 ** 52) {
    throw new EspalierError("ARGUMENT_INVALID", `permutation: the length must be a whole number from 0 to 2^52, not ${length}`, { length });
  }
  let halfBits = 1;
  while (4 ** halfBits < length) halfBits += 1;
  const half = 2 ** halfBits;
  const keys = Array.from({ length: rounds }, (_, round) => deriveSeed(seed, "permutation", epoch, round) >>> 0);

  const encrypt = (value: number): number => {
    let left = Math.floor(value / half);
    let right = value % half;
    for (const key of keys) {
      const next = (left ^ mix(right ^ key)) & (half - 1);
      left = right;
      right = next;
    }
    return left * half + right;
  };

  return (position) => {
    if (!Number.isSafeInteger(position) || position < 0 || position >= length) {
      throw new EspalierError("ARGUMENT_INVALID", `permutation: position ${position} is outside 0 to ${length - 1}`, { position, length });
    }
    let index = encrypt(position);
    while (index >= length) index = encrypt(index);
    return index;
  };
}
