import type { FunctionBuilder, Local } from "./function-builder.ts";

/** Added to a number below 2^22 it leaves the nearest whole number in the lowest bits: 1.5 * 2^23. */
const rounder = 12_582_912;

/** 2^f - 1 for |f| up to 1/2 as powers of f, the highest first and f the last, fitted to the least largest distance from 2^f in proportion: 1e-7. */
const polynomial = [
  1.326_472_725_268_226_7e-3, 9.671_512_785_776_618e-3, 5.550_733_744_471_02e-2, 0.240_222_420_831_118, 0.693_146_977_597_678,
] as const;

/** A function of vectors that are 0 or below: 2^x to 2e-7 of it, and 1.2e-38 below -126. Its constants are loaded once, where this is called. */
export function powerOfTwo(code: FunctionBuilder): (x: Local) => Local {
  const [least, magic, one] = code.constants([-126, rounder, 1]);
  const powers = polynomial.map((value) => code.constant(value));
  return (x) => {
    const bounded = code.vector("higher", [x, least]); // one instruction where `max` is seven, and a NaN stays one
    const whole = code.vector("add", [bounded, magic]);
    const f = code.vector("sub", [bounded, code.vector("sub", [whole, magic])]);
    const [highest = f, ...others] = powers;
    const sum = [...others, one].reduce((value, power) => code.vector("multiplyAdd", [value, f, power]), highest);
    return code.vector("addInt", [sum, code.shiftLeft(whole, 23)]); // the exponent's bits begin at 23
  };
}
