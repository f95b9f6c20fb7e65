import { worthCode, type Product } from "../machine/product.ts";
import { int } from "../onnx-emitter.ts";
import type { LoweringContext } from "./lowering.ts";

/** Matrices [count, rows, columns]. */
export interface Matrices {
  readonly name: string;
  readonly shape: readonly [count: number, rows: number, columns: number];
  /** Whether they are multiplied transposed; not by default. */
  readonly across?: boolean;
}

/** Products of as many matrices on either side, or of one on the left with all on the right: as machine code where it is worth it, else by ONNX Runtime. */
export function multiply({ emit, product }: Pick<LoweringContext, "emit" | "product">, left: Matrices, right: Matrices): string {
  const made = productOf(left, right);
  if (product === undefined || !worthCode(made)) {
    const attributes = { transA: int(left.across === true ? 1 : 0), transB: int(right.across === true ? 1 : 0) };
    return emit.emit("FusedMatMul", [left.name, right.name], attributes, { domain: "com.microsoft" });
  }
  return product({ product: made, shape: [right.shape[0], made.rows, made.columns] }, [left.name, right.name]);
}

function productOf({ shape: [lefts, ...a], across = false }: Matrices, { shape: [count, ...b], across: isRightAcross = false }: Matrices): Product {
  const [rows, depth] = across ? [a[1], a[0]] : a;
  const columns = isRightAcross ? b[0] : b[1];
  return {
    batches: [count, 1],
    rows,
    columns,
    depth,
    left: { batches: [lefts === 1 ? 0 : rows * depth, 0], ...(across ? { row: 1, depth: rows } : { row: depth, depth: 1 }) },
    right: { batches: [depth * columns, 0], ...(isRightAcross ? { depth: 1, column: depth } : { depth: columns, column: 1 }) },
    result: { batches: [rows * columns, 0], row: columns },
    scale: 1,
    third: "none",
    relu: false,
  };
}
