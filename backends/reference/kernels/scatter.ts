import { elementCount } from "../../../core/index.ts";
import { stridesOf, take } from "../indices.ts";
import { memoryFor, numbersOf, positiveAxis, required, tensorOf, type KernelContext, type KernelFactory, type NumericTensor } from "../kernel.ts";
import { checkedIndex } from "./gather.ts";

/** Operators whose indices name single elements or blocks. Each is a list of positions in `data`, one for each element of the other side. */
export const scatterKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__GatherElements.html */
  GatherElements: (context) => (inputs) => {
    const [data, indices] = [required(inputs, 0), required(inputs, 1)];
    return [take(data, indices.shape, elementPositions(context, data, indices))];
  },

  /** @see https://onnx.ai/onnx/operators/onnx__ScatterElements.html */
  ScatterElements: (context) => (inputs) => {
    const [data, indices, updates] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
    return [scatter(context.attributes.string("reduction"), { data, updates, positions: elementPositions(context, data, indices) })];
  },

  /** @see https://onnx.ai/onnx/operators/onnx__GatherND.html */
  GatherND: (context) => (inputs) => {
    const [data, indices] = [required(inputs, 0), required(inputs, 1)];
    const batch = context.attributes.int("batch_dims");
    const shape = [...indices.shape.slice(0, -1), ...data.shape.slice(batch + indices.shape.at(-1)!)];
    return [take(data, shape, blockPositions(context, data, { indices, batch }))];
  },

  /** Adds dY up at the places that GatherND read. */
  GatherNDGrad: (context) => (inputs) => {
    const [data, indices, updates] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
    const positions = blockPositions(context, data, { indices, batch: context.attributes.int("batch_dims") });
    const zeros: NumericTensor = tensorOf(data.dtype, data.shape, memoryFor(data.dtype, data.data.length));
    return [scatter("add", { data: zeros, updates, positions })];
  },

  /** @see https://onnx.ai/onnx/operators/onnx__ScatterND.html */
  ScatterND: (context) => (inputs) => {
    const [data, indices, updates] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
    return [scatter(context.attributes.string("reduction"), { data, updates, positions: blockPositions(context, data, { indices, batch: 0 }) })];
  },
};

/** How an update joins what is there. */
const joins: Readonly<Record<string, (there: number, update: number) => number>> = {
  none: (_, update) => update,
  add: (there, update) => there + update,
  mul: (there, update) => there * update,
  min: Math.min,
  max: Math.max,
};

interface Scatter {
  readonly data: NumericTensor;
  readonly updates: NumericTensor;
  readonly positions: Int32Array;
}

/** Sums and products are in double precision and rounded once. */
function scatter(reduction: string, { data, updates, positions }: Scatter): NumericTensor {
  const join = joins[reduction]!; // the shape rule has refused others
  const out = Float64Array.from(numbersOf(data));
  const source = numbersOf(updates);
  for (let i = 0; i < positions.length; i += 1) out[positions[i]!] = join(out[positions[i]!]!, source[i]!);
  return tensorOf(data.dtype, data.shape, out);
}

/** Each element's own place, but along the axis the index. */
function elementPositions(context: KernelContext, data: NumericTensor, indices: NumericTensor): Int32Array {
  const axis = positiveAxis(context.attributes.int("axis"), data.shape.length);
  const strides = stridesOf(data.shape);
  const own = stridesOf(indices.shape);
  const chosen = numbersOf(indices);
  return Int32Array.from({ length: chosen.length }, (_, i) =>
    strides.reduce((position, stride, along) => {
      const place = Math.floor(i / own[along]!) % indices.shape[along]!;
      return position + stride * (along === axis ? checkedIndex(context, chosen[i]!, data.shape[axis]!) : place);
    }, 0),
  );
}

/** The positions of the blocks that the last axis of `indices` names, block after block; the first `batch` axes run along. */
function blockPositions(
  context: KernelContext,
  data: NumericTensor,
  { indices, batch }: { readonly indices: NumericTensor; readonly batch: number },
): Int32Array {
  const depth = indices.shape.at(-1)!;
  const strides = stridesOf(data.shape);
  const block = elementCount(data.shape.slice(batch + depth));
  const rows = elementCount(indices.shape.slice(0, -1));
  const rowsOfBatch = elementCount(indices.shape.slice(batch, -1));
  const sizeOfBatch = elementCount(data.shape.slice(batch));
  const places = numbersOf(indices);
  const positions = new Int32Array(rows * block);
  for (let row = 0; row < rows; row += 1) {
    let start = Math.floor(row / rowsOfBatch) * sizeOfBatch;
    for (let i = 0; i < depth; i += 1) start += checkedIndex(context, places[row * depth + i]!, data.shape[batch + i]!) * strides[batch + i]!;
    for (let i = 0; i < block; i += 1) positions[row * block + i] = start + i;
  }
  return positions;
}
