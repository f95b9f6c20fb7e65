import type { FunctionBuilder, Local } from "./function-builder.ts";

/** Added to a number below 2^22 it leaves the nearest whole number in the lowest bits: 1.5 * 2^23. */
const rounder = 12_582_912;

/** ln 2 in two parts, the first of 9 bits: whole multiples of it are exact. */
const [ln2, ln2Rest] = [0.693359375, Math.LN2 - 0.693359375];

/** (e^r - 1 - r) / r^2 for |r| up to ln(2) / 2, the highest power first (S. Moshier, Cephes, expf). */
const polynomial = [1.987_569_15e-4, 1.398_199_950_7e-3, 8.333_451_907_3e-3, 4.166_579_589_4e-2, 1.666_666_545_9e-1, 5.000_000_120_1e-1] as const;

/** A function of vectors that are 0 or below: e^x to 2 units in the last place, and 1.6e-38 below -87. Its constants are loaded once, where this is called. */
export function exponential(code: FunctionBuilder): (x: Local) => Local {
  const [least, perLn2, magic, first, rest, one] = [-87, Math.LOG2E, rounder, -ln2, -ln2Rest, 1].map((value) => code.constant(value)) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]; // as many as numbers
  const powers = polynomial.map((value) => code.constant(value));
  return (x) => {
    const bounded = code.vector("max", [x, least]);
    const whole = code.vector("multiplyAdd", [bounded, perLn2, magic]);
    const n = code.vector("sub", [whole, magic]);
    const r = code.vector("multiplyAdd", [n, rest, code.vector("multiplyAdd", [n, first, bounded])]);
    const [highest = r, ...others] = powers;
    const sum = others.reduce((value, power) => code.vector("multiplyAdd", [value, r, power]), highest);
    const small = code.vector("multiplyAdd", [sum, code.vector("mul", [r, r]), code.vector("add", [r, one])]);
    return code.vector("addInt", [small, code.shiftLeft(whole, 23)]); // the exponent's bits begin at 23
  };
}
