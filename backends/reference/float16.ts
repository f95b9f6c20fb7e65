import type { DType, ValueType } from "../../core/index.ts";
import { numbersOf, tensorOf, type KernelFactory, type NumericTensor } from "./kernel.ts";

/**
 * A kernel for float16: its inputs are widened, its arithmetic is that of float64, and each result is rounded once, to the nearest and ties to even.
 *
 * What hardware gives differs from it by the rounding of its sums, which are float32 or float16.
 */
export function inDoubles(factory: KernelFactory): KernelFactory {
  return (context) => {
    const { inputTypes, outputTypes } = context;
    const kernel = factory({ ...context, inputTypes: inputTypes.map((type) => type && wide(type)), outputTypes: outputTypes.map(wide) });
    return (inputs) =>
      kernel(inputs.map((input) => (input?.dtype === "float16" ? tensorOf("float64", input.shape, numbersOf(input)) : input))).map((result, i) =>
        narrow(result, outputTypes[i]?.dtype),
      );
  };
}

function wide(type: ValueType): ValueType {
  return type.dtype === "float16" ? { ...type, dtype: "float64" } : type;
}

/** Statistics of float16 values may be float32 by the operator's rule. */
function narrow(result: NumericTensor, dtype: DType | undefined): NumericTensor {
  const isWide = result.dtype === "float64" && (dtype === "float16" || dtype === "float32");
  return isWide ? tensorOf(dtype, result.shape, numbersOf(result)) : result;
}
