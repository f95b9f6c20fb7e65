import { elementCount } from "../../../core/index.ts";
import { stridesOf, take } from "../indices.ts";
import { memoryFor, numbersOf, positiveAxis, required, tensorOf, type KernelContext, type KernelFactory, type NumericTensor } from "../kernel.ts";

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

  /** @see https://onnx.ai/onnx/operators/onnx__ScatterND.html */
  ScatterND: (context) => {
    const adds = context.attributes.string("reduction") === "add";
    return (inputs) => {
      const [data, indices, updates] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
      const depth = indices.shape.at(-1)!;
      const strides = stridesOf(data.shape);
      const block = elementCount(data.shape.slice(depth));
      const places = numbersOf(indices);
      const source = numbersOf(updates);
      const out = adds ? new Float64Array(data.data.length) : memoryFor(data.dtype, data.data.length);
      out.set(numbersOf(data));
      for (let row = 0; row < places.length / depth; row += 1) {
        let start = 0;
        for (let axis = 0; axis < depth; axis += 1) start += checkedIndex(context, places[row * depth + axis]!, data.shape[axis]!) * strides[axis]!;
        for (let i = 0; i < block; i += 1) out[start + i] = source[row * block + i]! + (adds ? out[start + i]! : 0);
      }
      return [tensorOf(data.dtype, data.shape, out)];
    };
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

function checkedIndex({ fail }: KernelContext, index: number, size: number): number {
  if (index < -size || index >= size) fail(`index ${index} is outside an axis of size ${size}`);
  return index < 0 ? index + size : index;
}
