import { plannedAxes, resizeTaps } from "../../../core/index.ts";
import { stridesOf } from "../indices.ts";
import { numbersOf, required, tensorOf, type KernelFactory, type NumericTensor } from "../kernel.ts";
import { made } from "./arrangements.ts";

/** Interpolation, one axis after the other. */
export const resizeKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__Resize.html */
  Resize: ({ attributes, outputTypes }) => {
    const to = outputTypes[0]!.shape;
    return (inputs) => {
      const x = required(inputs, 0);
      const axes = plannedAxes(
        x.shape,
        to.map((size, axis) => (size === "batch" ? x.shape[axis]! : size)),
        { scales: inputs[2], sizes: inputs[3], attributes },
      );
      // In double precision until the last axis.
      const wide: NumericTensor = { dtype: "float64", shape: x.shape, data: Float64Array.from(numbersOf(x)) };
      const result = axes.reduce((value, { axis, rule }) => {
        const taps = resizeTaps(rule);
        const source = numbersOf(value);
        const strides = stridesOf(value.shape);
        return made("float64", value.shape.with(axis, rule.length), (at) => {
          const line = at.reduce((sum, place, along) => (along === axis ? sum : sum + place * strides[along]!), 0);
          return taps[at[axis]!]!.reduce((sum, { place, weight }) => sum + weight * source[line + place * strides[axis]!]!, 0);
        });
      }, wide);
      return [tensorOf(x.dtype, result.shape, numbersOf(result))];
    };
  },
};
