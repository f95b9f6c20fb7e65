import type { Dimension } from "../graph/graph.ts";
import type { InferContext } from "./operator.ts";

/** What one pair of elements gives; undefined where it cannot be said without knowing the batch size. */
export type DimensionRule = (a: Dimension, b: Dimension) => Dimension | undefined;

/** The contents of input 0, for operators that only give it another shape or type. */
export function sameContents({ dimensions }: InferContext): readonly Dimension[] | undefined {
  return dimensions(0);
}

/** The contents of a vector or scalar input; those of more dimensions are not followed. */
export function vectorContents({ inputs, dimensions }: InferContext, index: number): readonly Dimension[] | undefined {
  return (inputs[index]?.shape.length ?? 0) <= 1 ? dimensions(index) : undefined;
}

/** Element by element over two vectors of one length, or of a single element and any. */
export function pairedContents(
  context: InferContext,
  [first, second]: readonly [number, number],
  rule: DimensionRule,
): readonly Dimension[] | undefined {
  const a = vectorContents(context, first);
  const b = vectorContents(context, second);
  if (a === undefined || b === undefined || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return undefined;
  const values = Array.from({ length: a.length === 1 ? b.length : a.length }, (_, i) => {
    const [x, y] = [a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]];
    return x === undefined || y === undefined ? undefined : rule(x, y);
  });
  return values.every((value) => value !== undefined) ? values : undefined;
}

/** Whether a size is the same in every element type that sizes are computed in: float32 counts to 2^24. */
export function isExactSize(size: Dimension): boolean {
  return size === "batch" || (Number.isInteger(size) && Math.abs(size) <= 2 ** 24);
}

/** Arithmetic on sizes, as far as it goes without the batch size and is exact. */
export const sizeArithmetic: Readonly<Record<"Add" | "Sub" | "Mul" | "Div", DimensionRule>> = {
  Add: (a, b) => (b === 0 ? a : a === 0 ? b : onNumbers(a, b, (x, y) => x + y)),
  Sub: (a, b) => (b === 0 ? a : a === b ? 0 : onNumbers(a, b, (x, y) => x - y)),
  Mul: (a, b) => (b === 1 ? a : a === 1 ? b : onNumbers(a, b, (x, y) => x * y)),
  Div: (a, b) => (b === 1 ? a : a === "batch" && b === "batch" ? 1 : onNumbers(a, b, (x, y) => x / y)),
};

/** 1 or 0 for equal sizes; a batch size is above 0. */
export function sameSize(a: Dimension, b: Dimension): Dimension | undefined {
  if (a === b) return 1;
  if (a === "batch") return b === "batch" || b > 0 ? undefined : 0;
  return b === "batch" ? sameSize(b, a) : 0;
}

function onNumbers(a: Dimension, b: Dimension, rule: (x: number, y: number) => number): number | undefined {
  const value = a === "batch" || b === "batch" ? undefined : rule(a, b);
  return value !== undefined && isExactSize(value) ? value : undefined;
}
