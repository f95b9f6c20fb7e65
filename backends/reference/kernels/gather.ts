import { elementCount } from "../../../core/index.ts";
import { take } from "../indices.ts";
import { numbersOf, positiveAxis, required, tensorOf, type KernelContext, type KernelFactory, type NumericTensor } from "../kernel.ts";

/** Operators that read or write at places given by an input. */
export const gatherKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__Gather.html */
  Gather: (context) => (inputs) => {
    const [data, indices] = [required(inputs, 0), required(inputs, 1)];
    const axis = positiveAxis(context.attributes.int("axis"), data.shape.length);
    const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
    return [take(data, shape, gatheredPositions(context, data, indices))];
  },

  /** Adds dY up at the places that Gather read. */
  GatherGrad: (context) => (inputs) => {
    const [data, indices, dY] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
    const positions = gatheredPositions(context, data, indices);
    const source = numbersOf(dY);
    const sums = new Float64Array(data.data.length);
    for (let i = 0; i < positions.length; i += 1) sums[positions[i]!] = sums[positions[i]!]! + source[i]!;
    return [tensorOf(data.dtype, data.shape, sums)];
  },
};

/** For each element of Gather's result, its position in `data`. */
function gatheredPositions(context: KernelContext, data: NumericTensor, indices: NumericTensor): Int32Array {
  const axis = positiveAxis(context.attributes.int("axis"), data.shape.length);
  const size = data.shape[axis]!;
  const outer = elementCount(data.shape.slice(0, axis));
  const inner = elementCount(data.shape.slice(axis + 1));
  const places = numbersOf(indices);
  const positions = new Int32Array(outer * places.length * inner);
  let next = 0;
  for (let block = 0; block < outer; block += 1) {
    for (let i = 0; i < places.length; i += 1) {
      const start = (block * size + checkedIndex(context, places[i]!, size)) * inner;
      for (let k = 0; k < inner; k += 1) positions[next + k] = start + k;
      next += inner;
    }
  }
  return positions;
}

/** An index counted from the front. @throws BACKEND_RUN_FAILED when it is outside the axis */
export function checkedIndex({ fail }: KernelContext, index: number, size: number): number {
  if (index < -size || index >= size) fail(`index ${index} is outside an axis of size ${size}`);
  return index < 0 ? index + size : index;
}
