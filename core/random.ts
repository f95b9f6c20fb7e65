import { EspalierError } from "./errors.ts";

/** Where a generator stands, as plain JSON: four unsigned 32-bit words. */
export interface RandomState {
  readonly algorithm: "xoshiro128**";
  readonly words: readonly [number, number, number, number];
}

/**
 * The seeded generator from which every random number of Espalier comes: initial weights, dropout masks, splits.
 *
 * xoshiro128** in 32-bit integer arithmetic, so every engine draws the same bits. `normal` uses Marsaglia's polar method with a
 * logarithm made of +, -, * and / (IEEE 754 rounds those alike everywhere; `Math.log` and `Math.cos` may differ from engine to engine, and
 * ECMAScript allows it). `Math.sqrt` is the one function used: all engines map it to the correctly rounded instruction.
 *
 * @example
 * const random = new Random(7);
 * random.normals(4, { standardDeviation: 0.1 }); // Float32Array, the same on Node, in a page and in a worker
 * @see D. Blackman, S. Vigna, Scrambled linear pseudorandom number generators, https://prng.di.unimi.it/xoshiro128starstar.c
 * @see G. Marsaglia, T. A. Bray, A convenient method for generating normal variables, SIAM Review 6 (1964)
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param seed a whole number from 0 to 2^53 - 1, or a state to go on from
   * @throws ARGUMENT_INVALID for anything else
   */
  constructor(seed: number | RandomState) {
    const [a, b, c, d] = typeof seed === "number" ? expandSeed(seed) : checkState(seed);
    // Kept as signed words: engines hold those without boxing them, which makes a draw four times as fast.
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
  }

  /** Where the generator stands; `new Random(state)` draws the very next number. */
  get state(): RandomState {
    return { algorithm: "xoshiro128**", words: [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0] };
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** A number in [low, high) with 53 random bits; two draws. */
  uniform(low = 0, high = 1): number {
    const unit = ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
    return low + (high - low) * unit;
  }

  /**
   * A whole number from 0 to `bound` - 1, all equally likely (draws that would favour small numbers are thrown away).
   *
   * @throws ARGUMENT_INVALID unless `bound` is a whole number from 1 to 2^32
   */
  integer(bound: number): number {
    if (!Number.isSafeInteger(bound) || bound < 1 || bound > 0x100000000) {
      throw new EspalierError("ARGUMENT_INVALID", `integer: the bound must be a whole number from 1 to 2^32, not ${bound}`, { bound });
    }
    const limit = 0x100000000 - (0x100000000 % bound);
    for (;;) {
      const draw = this.uint32();
      if (draw < limit) return draw % bound;
    }
  }

  /** A draw from the normal distribution with mean 0 and standard deviation 1. */
  normal(): number {
    for (;;) {
      const x = this.uniform(-1, 1);
      const y = this.uniform(-1, 1);
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * naturalLogarithm(square)) / square);
    }
  }

  /** `count` numbers in [low, high), rounded to float32. */
  uniforms(count: number, { low = 0, high = 1 }: { readonly low?: number; readonly high?: number } = {}): Float32Array {
    const numbers = new Float32Array(count);
    for (let i = 0; i < count; i += 1) numbers[i] = this.uniform(low, high);
    return numbers;
  }

  /** `count` normal numbers, rounded to float32. */
  normals(count: number, { mean = 0, standardDeviation = 1 }: { readonly mean?: number; readonly standardDeviation?: number } = {}): Float32Array {
    const numbers = new Float32Array(count);
    for (let i = 0; i < count; i += 1) numbers[i] = mean + standardDeviation * this.normal();
    return numbers;
  }
}

/**
 * A seed for one purpose, so that drawing more numbers for one never shifts another's.
 *
 * @param path what the numbers are for: `deriveSeed(seed, "dropout", epoch)`
 * @returns a whole number from 0 to 2^53 - 1
 */
export function deriveSeed(seed: number, ...path: readonly (string | number)[]): number {
  let [high, low] = expandSeed(seed);
  for (const part of path) {
    // The type is hashed as well: 1 and "1" are two purposes.
    for (const character of `${typeof part}:${part}/`) {
      const code = character.codePointAt(0) as number; // a string's iterator yields whole characters
      high = mix(high ^ code);
      low = mix(Math.imul(low, 0x01000193) ^ code ^ high);
    }
  }
  return (high >>> 11) * 0x100000000 + (low >>> 0);
}

/** Four words from a seed, never all zero: a counter in steps of the golden ratio through a mixing function. */
function expandSeed(seed: number): [number, number, number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new EspalierError("ARGUMENT_INVALID", `a seed must be a whole number from 0 to 2^53 - 1, not ${seed}`, { seed });
  }
  const low = seed >>> 0;
  const high = Math.floor(seed / 0x100000000);
  const word = (i: number): number => mix((mix(low + Math.imul(0x9e3779b9, i)) ^ high) + Math.imul(0x85ebca6b, i));
  const words: [number, number, number, number] = [word(1), word(2), word(3), word(4)];
  return words.every((item) => item === 0) ? [1, 2, 3, 4] : words;
}

function checkState(state: RandomState): readonly [number, number, number, number] {
  const valid =
    state.algorithm === "xoshiro128**" &&
    state.words.length === 4 &&
    state.words.every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffffffff) &&
    state.words.some((word) => word !== 0);
  if (!valid) {
    throw new EspalierError("ARGUMENT_INVALID", `not a random state: ${JSON.stringify(state)}; it has four 32-bit words, not all zero`, { state });
  }
  return state.words;
}

/**
 * Spreads every input bit over all 32 output bits.
 *
 * @see A. Appleby, MurmurHash3's 32-bit finaliser, https://github.com/aappleby/smhasher/wiki/MurmurHash3
 */
export function mix(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** ln x for 0 < x < 1, to about 1e-16: x = m * 2^k with m near 1, then ln m = 2 artanh((m - 1) / (m + 1)) by its series. */
function naturalLogarithm(x: number): number {
  let mantissa = x;
  let exponent = 0;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent -= 1;
  }
  const ratio = (mantissa - 1) / (mantissa + 1); // |ratio| <= 0.172, so that 11 terms leave less than 1e-18
  const square = ratio * ratio;
  // artanh x / x in x^2 by Horner's rule, written out: the engine divides once, not in every draw.
  let sum = 1 / 21;
  sum = sum * square + 1 / 19;
  sum = sum * square + 1 / 17;
  sum = sum * square + 1 / 15;
  sum = sum * square + 1 / 13;
  sum = sum * square + 1 / 11;
  sum = sum * square + 1 / 9;
  sum = sum * square + 1 / 7;
  sum = sum * square + 1 / 5;
  sum = sum * square + 1 / 3;
  sum = sum * square + 1;
  return exponent * Math.LN2 + 2 * ratio * sum;
}
