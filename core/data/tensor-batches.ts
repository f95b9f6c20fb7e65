import { EspalierError } from "../errors.ts";
import { allocate, elementCount, type Tensor, type Tensors } from "../tensor.ts";
import type { Dataset } from "./dataset.ts";
import { feedBatches, type FeedBatchesOptions, type FeedSource } from "./feed-batches.ts";

/**
 * Batches of rows of tensors in memory: what training and evaluation are fed with.
 *
 * @param tensors each with the same first dimension, the rows
 * @throws ARGUMENT_INVALID for a batch size below 1; TENSOR_INVALID when the numbers of rows differ
 * @example fit({ ..., train: ({ epoch, seed }) => tensorBatches(tensors, { batchSize: 32, shuffle: { seed, epoch } }) })
 */
export function tensorBatches(tensors: Tensors, options: FeedBatchesOptions): Dataset<Tensors> {
  return feedBatches(tensorFeeds(tensors), options);
}

/** Tensors in memory as a source of feeds. @throws TENSOR_INVALID when the numbers of rows differ */
export function tensorFeeds(tensors: Tensors): FeedSource {
  return { rows: commonRows(tensors), feedsAt: (indices) => gatherTensors(tensors, indices) };
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
