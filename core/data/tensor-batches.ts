import { EspalierError } from "../errors.ts";
import { permutation } from "../permutation.ts";
import { allocate, elementCount, type Tensor, type Tensors } from "../tensor.ts";
import type { Dataset } from "./dataset.ts";
import { dataset, datasetIterator, readCount } from "./iterator.ts";

/** How rows become batches. */
export interface TensorBatchesOptions {
  readonly batchSize: number;
  /** Rows in an order of this seed and epoch; absent: as they stand. */
  readonly shuffle?: { readonly seed: number; readonly epoch: number };
  /** Leaves out a last batch of fewer rows; default false. */
  readonly dropLast?: boolean;
}

/**
 * Batches of rows of tensors in memory: what training and evaluation are fed with.
 *
 * The order is a keyed permutation, so a state is one number ({row}) and any place is reached at equal cost.
 *
 * @param tensors each with the same first dimension, the rows
 * @throws ARGUMENT_INVALID for a batch size below 1; TENSOR_INVALID when the numbers of rows differ
 * @example fit({ ..., train: ({ epoch, seed }) => tensorBatches(tensors, { batchSize: 32, shuffle: { seed, epoch } }) })
 */
export function tensorBatches(tensors: Tensors, { batchSize, shuffle, dropLast = false }: TensorBatchesOptions): Dataset<Tensors> {
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `a batch size must be a whole number from 1, not ${batchSize}`, { batchSize });
  }
  const rows = commonRows(tensors);
  const used = dropLast ? rows - (rows % batchSize) : rows;
  const rowAt = shuffle === undefined ? (position: number) => position : permutation({ length: rows, ...shuffle });
  return dataset(used, (state) => {
    let position = state === undefined ? 0 : readCount(state, "row");
    return datasetIterator({
      state: () => ({ row: position }),
      next() {
        if (position >= used) return undefined;
        const count = Math.min(batchSize, used - position);
        const start = position;
        const indices = Uint32Array.from({ length: count }, (_, i) => rowAt(start + i));
        position += count;
        return gatherTensors(tensors, indices);
      },
    });
  });
}

/** Rows of tensors by their numbers, copied. */
export function gatherTensors(tensors: Tensors, indices: ArrayLike<number>): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, gatherTensor(value, indices)]));
}

function gatherTensor({ dtype, shape, data }: Tensor, indices: ArrayLike<number>): Tensor {
  const count = indices.length;
  const kept = [count, ...shape.slice(1)];
  if (dtype === "string") return { dtype, shape: kept, data: Array.from(indices, (row) => String(data[row])) };
  const size = elementCount(shape.slice(1));
  const gathered = allocate(dtype, count * size);
  // A plain loop over elements costs half of `set(subarray)` for rows of a few numbers, and no more for long ones.
  for (let i = 0; i < count; i++) {
    const from = indices[i]! * size; // i counts indices
    const to = i * size;
    for (let k = 0; k < size; k++) gathered[to + k] = data[from + k] as never; // both are arrays of the dtype
  }
  return { dtype, shape: kept, data: gathered };
}

function commonRows(tensors: Tensors): number {
  const all = Object.entries(tensors).map(([name, { shape }]) => ({ name, rows: shape[0] ?? 0 }));
  const [first] = all;
  const other = all.find(({ rows }) => rows !== first?.rows);
  if (first === undefined || other === undefined) return first?.rows ?? 0;
  throw new EspalierError(
    "TENSOR_INVALID",
    `tensors of one table have as many rows: "${first.name}" has ${first.rows}, "${other.name}" has ${other.rows}`,
    {
      rows: [first.rows, other.rows],
    },
  );
}
