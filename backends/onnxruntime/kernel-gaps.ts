import type { DType } from "../../core/index.ts";

/**
 * Element types that ONNX Runtime's CPU kernels lack, and the wider type that holds the same values. Found by running every operator
 * on every type with 1.30. Missing float64 kernels are not here: float32 would lose
 * digits silently.
 */
const gaps: Readonly<Record<string, Partial<Record<DType, DType>>>> = {
  Where: { bool: "uint8" },
  ReduceSum: { uint8: "int32" },
};

/** The type to compute in instead, or undefined when there is a kernel for it. */
export function substituteType(operator: string, dtype: DType): DType | undefined {
  return gaps[operator]?.[dtype];
}

/**
 * Operators without a float64 kernel that core writes in operators that have one. Found by running every operator on float64 with 1.30. Those that
 * core does not lower (Erf and the inverse functions of angles) are refused when a graph is compiled.
 */
export const loweredInFloat64: ReadonlySet<string> = new Set([
  "Acosh",
  "Asinh",
  "Atanh",
  "AveragePool",
  "AveragePoolGrad",
  "Celu",
  "Conv",
  "ConvInputGrad",
  "ConvTranspose",
  "ConvWeightGrad",
  "Cosh",
  "Elu",
  "GRU",
  "GlobalAveragePool",
  "GlobalLpPool",
  "GlobalMaxPool",
  "HardSigmoid",
  "HardSwish",
  "Hardmax",
  "InstanceNormalization",
  "LRN",
  "LSTM",
  "LayerNormalization",
  "LeakyRelu",
  "LpPool",
  "MaxPoolGrad",
  "Mean",
  "MeanVarianceNormalization",
  "Mish",
  "PRelu",
  "RNN",
  "Resize",
  "Selu",
  "Sinh",
  "Softplus",
  "Softsign",
  "Tan",
  "ThresholdedRelu",
]);
