import type { DType } from "../../core/index.ts";

/**
 * Element types that ONNX Runtime's CPU kernels lack, and the wider type that holds the same values. Found by running every operator
 * on every type with 1.30. Missing float64 kernels are not here: float32 would lose digits silently, so they are refused at compile.
 */
const gaps: Readonly<Record<string, Partial<Record<DType, DType>>>> = {
  Where: { bool: "uint8" },
  ReduceSum: { uint8: "int32" },
};

/** The type to compute in instead, or undefined when there is a kernel for it. */
export function substituteType(operator: string, dtype: DType): DType | undefined {
  return gaps[operator]?.[dtype];
}
