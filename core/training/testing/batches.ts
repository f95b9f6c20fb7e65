import { dataset, datasetIterator, readCount } from "../../data/iterator.ts";
import type { Dataset } from "../../data/dataset.ts";
import { permutation } from "../../permutation.ts";
import { elementCount, tensor, type Tensor, type Tensors, type TypedArray } from "../../tensor.ts";
import type { TrainingData } from "../fit-options.ts";

/** Batches of whole tensors for tests, in order. */
export function batchesOf(tensors: Tensors, batch: number): Dataset<Tensors> {
  return ordered(tensors, batch, (position) => position);
}

/** The same, in another seeded order each epoch. */
export function shuffledBatchesOf(tensors: Tensors, batch: number): TrainingData {
  return ({ epoch, seed }) => ordered(tensors, batch, permutation({ length: rowsOf(tensors), seed, epoch }));
}

function ordered(tensors: Tensors, batch: number, indexOf: (position: number) => number): Dataset<Tensors> {
  const rows = rowsOf(tensors);
  return dataset(rows, (state) => {
    let position = state === undefined ? 0 : readCount(state, "position");
    return datasetIterator<Tensors>({
      next() {
        if (position >= rows) return undefined;
        const indices = Array.from({ length: Math.min(batch, rows - position) }, (_, i) => indexOf(position + i));
        position += indices.length;
        return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, gather(value, indices)]));
      },
      state: () => ({ position }),
    });
  });
}

function rowsOf(tensors: Tensors): number {
  return Object.values(tensors)[0]?.shape[0] ?? 0;
}

function gather({ dtype, shape, data }: Tensor, indices: readonly number[]): Tensor {
  const size = elementCount(shape.slice(1));
  const values = data as TypedArray; // tests feed numbers
  return tensor(
    dtype,
    [indices.length, ...shape.slice(1)],
    indices.flatMap((index) => Array.from(values.subarray(index * size, (index + 1) * size), Number)),
  );
}
