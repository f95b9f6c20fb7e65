import { rangeOf, type Share } from "../kernels/host-kernel.ts";
import { isMatrix, lanes, type Product } from "./product.ts";

/** A part of a product, and how far its values are from the whole's, in floats. */
export interface ProductPart {
  readonly product: Product;
  readonly left: number;
  readonly right: number;
  readonly result: number;
  readonly third: number;
}

/** Multiplications and additions of a share: about 0.025 ms at 164 GFlop/s. Other values were not tried. */
const worthShare = 2 ** 21;

/** How many threads a product is worth. */
export function sharesOf({ batches, rows, columns, depth }: Product, threads: number): number {
  return Math.max(1, Math.min(threads, Math.floor((batches[0] * batches[1] * rows * columns * depth) / worthShare)));
}

/**
 * A thread's part of a product: some of several products, or else of the rows or columns, whichever are more. What another thread reads too, both copy
 * to panels.
 */
export function partOf(product: Product, share: Share): ProductPart {
  const { batches, rows, columns, left, right, result, third } = product;
  const added = (floats: number): number => (isMatrix(third) ? floats : 0);
  if (batches[0] >= 2 * share.count || (batches[0] > 1 && batches[0] % share.count === 0)) {
    const { begin, end } = rangeOf(share, batches[0]);
    return {
      product: { ...product, batches: [end - begin, batches[1]] },
      left: begin * left.batches[0],
      right: begin * right.batches[0],
      result: begin * result.batches[0],
      third: added(begin * result.batches[0]),
    };
  }
  if (rows >= columns) {
    const { begin, end } = rangeOf(share, rows);
    const to = begin * result.row;
    return { product: { ...product, rows: end - begin }, left: begin * left.row, right: 0, result: to, third: added(to) };
  }
  const { begin, end } = rangeOf(share, Math.ceil(columns / lanes));
  const from = begin * lanes;
  const part = { ...product, columns: Math.min(columns, end * lanes) - from };
  return { product: part, left: 0, right: from * right.column, result: from, third: third === "none" ? 0 : from };
}
