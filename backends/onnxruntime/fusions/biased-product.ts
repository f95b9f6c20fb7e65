import type { ValueName } from "../../../core/index.ts";
import type { FusionContext } from "./fusion.ts";

/** A product of matrices and a row that is added to it, as a dense layer writes them. */
export interface BiasedProduct {
  readonly product: ValueName;
  readonly bias: ValueName;
}

/**
 * What a value is the sum of, when it is such a product. A kernel that reads the product adds the row while it is there: ONNX Runtime's Gemm writes
 * the rows first and reads them again, 0.3 ms for [2048, 256].
 */
export function biasedProduct(value: ValueName, { graph, producer }: FusionContext): BiasedProduct | undefined {
  const [product = "", bias = ""] = producer(value, "Add")?.inputs ?? [];
  const [shape, row] = [graph.values[value]?.shape, graph.values[bias]?.shape];
  const isRow = row?.length === 1 && row[0] === shape?.at(-1) && graph.values[product]?.shape.join() === shape?.join(); // not broadcast to the row
  return isRow && producer(product, "MatMul") !== undefined ? { product, bias } : undefined;
}
