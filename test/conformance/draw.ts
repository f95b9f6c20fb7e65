import { deriveSeed, permutation, Random, tensor, type DType, type Tensor } from "../../core/index.ts";

/** How an input's elements are made. The same names give the same numbers everywhere. */
export type Draw =
  /** Normal numbers. */
  | "normal"
  /** Different numbers 0.1 apart, none within 0.05 of 0: no ties, and no kink within reach of a finite difference. */
  | "distinct"
  /** Few different whole numbers, so that ties are many. */
  | "ties"
  | { readonly uniform: readonly [low: number, high: number] }
  /** Whole numbers from low to high - 1. */
  | { readonly integers: readonly [low: number, high: number] }
  | { readonly values: readonly number[] };

/** Draws a tensor; `seedPath` says what it is for. */
export function drawTensor(
  draw: Draw,
  { dtype, shape, seedPath }: { dtype: DType; shape: readonly number[]; seedPath: readonly (string | number)[] },
): Tensor {
  const seed = deriveSeed(20, ...seedPath);
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(dtype, shape, numbersFor(draw, count, seed));
}

function numbersFor(draw: Draw, count: number, seed: number): readonly number[] {
  const random = new Random(seed);
  if (draw === "normal") return Array.from(random.normals(count));
  if (draw === "ties") return Array.from({ length: count }, () => random.integer(3) - 1);
  if (draw === "distinct") {
    const at = permutation({ length: count, seed });
    return Array.from({ length: count }, (_, i) => Math.fround((at(i) - Math.floor(count / 2) + 0.5) * 0.1));
  }
  if ("uniform" in draw) return Array.from(random.uniforms(count, { low: draw.uniform[0], high: draw.uniform[1] }));
  if ("integers" in draw) return Array.from({ length: count }, () => draw.integers[0] + random.integer(draw.integers[1] - draw.integers[0]));
  return Array.from({ length: count }, (_, i) => draw.values[i % draw.values.length] ?? 0);
}
