import { elementCount, parseEinsum } from "../../../core/index.ts";
import { stridesOf } from "../indices.ts";
import { numbersOf, required, tensorOf, type KernelFactory, type NumericTensor } from "../kernel.ts";

/** Sums of products over named axes. */
export const einsumKernels: Readonly<Record<string, KernelFactory>> = {
  /** Every combination of all axes, one product each. @see https://onnx.ai/onnx/operators/onnx__Einsum.html */
  Einsum: ({ attributes, fail }) => {
    return (inputs) => {
      const tensors = inputs.map((_, i) => required(inputs, i));
      const equation = parseEinsum(
        attributes.string("equation"),
        tensors.map(({ shape }) => shape.length),
      );
      if (typeof equation === "string") return fail(equation);
      const { operands, output } = equation;
      const labels = [...new Set([...output, ...operands.flat()])];
      const sizes = labels.map((label) => Math.max(...tensors.map((tensor, i) => sizesAt(tensor, operands[i]!, label)), 0));
      const empty = labels.some((label) =>
        tensors.some((tensor, i) => tensor.shape.some((size, axis) => size === 0 && operands[i]![axis] === label)),
      );
      const steps = tensors.map((tensor, i) => stepsOf(tensor, operands[i]!, labels));
      const values = tensors.map(numbersOf);
      const shape = sizes.slice(0, output.length);
      const inner = sizes.slice(output.length);
      const out = new Float64Array(elementCount(shape));
      const products = empty ? 0 : elementCount(inner);
      const strides = stridesOf(sizes);
      for (let i = 0; i < out.length; i += 1) {
        for (let k = 0; k < products; k += 1) {
          const at = i * products + k;
          const places = sizes.map((size, label) => Math.floor(at / strides[label]!) % size);
          out[i] = out[i]! + values.reduce((product, value, n) => product * value[dot(places, steps[n]!)]!, 1);
        }
      }
      return [tensorOf(tensors[0]!.dtype, shape, out)];
    };
  },
};

function sizesAt({ shape }: NumericTensor, own: readonly string[], label: string): number {
  return Math.max(0, ...shape.filter((_, axis) => own[axis] === label));
}

/** How far an element of the tensor moves when each label goes one on; a repeated label moves along its diagonal, a broadcast one not at all. */
function stepsOf({ shape }: NumericTensor, own: readonly string[], labels: readonly string[]): readonly number[] {
  const strides = stridesOf(shape);
  return labels.map((label) => strides.reduce((sum, stride, axis) => (own[axis] === label && shape[axis] !== 1 ? sum + stride : sum), 0));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
