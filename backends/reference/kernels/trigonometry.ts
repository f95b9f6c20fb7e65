import type { KernelFactory } from "../kernel.ts";
import { unary } from "./unary.ts";

/** Angles, hyperbolas and rounding, element by element. */
export const trigonometryKernels: Readonly<Record<string, KernelFactory>> = {
  Sin: each(Math.sin),
  Cos: each(Math.cos),
  Tan: each(Math.tan),
  Asin: each(Math.asin),
  Acos: each(Math.acos),
  Atan: each(Math.atan),
  Sinh: each(Math.sinh),
  Cosh: each(Math.cosh),
  Asinh: each(Math.asinh),
  Acosh: each(Math.acosh),
  Atanh: each(Math.atanh),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
  Round: each(roundToEven),
};

function each(compute: (x: number) => number): KernelFactory {
  return unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = compute(x[i]!);
  });
}

/** Half-way cases go to the even neighbour. */
function roundToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
