import { EspalierError } from "../errors.ts";
import { permutation } from "../permutation.ts";
import type { Tensors } from "../tensor.ts";
import type { Dataset } from "./dataset.ts";
import { dataset, datasetIterator, readCount } from "./iterator.ts";

/** One reading of training rows: what is random in it is a function of these two and the row. */
export interface Pass {
  readonly seed: number;
  readonly epoch: number;
}

/** Feeds of any rows, made when they are asked for: gathered from memory, decoded from files, cut out of a series. */
export interface FeedSource {
  readonly rows: number;
  /**
   * @param indices rows from 0 to `rows` - 1
   * @param pass of training; absent when rows are evaluated: then nothing is random
   * @returns tensors whose first dimension counts the indices
   */
  feedsAt(indices: Uint32Array, pass?: Pass): Tensors | Promise<Tensors>;
}

/** How rows become batches. */
export interface FeedBatchesOptions {
  readonly batchSize: number;
  /** Rows in an order of this seed and epoch; absent: as they stand. */
  readonly shuffle?: Pass;
  /** Leaves out a last batch of fewer rows; default false. */
  readonly dropLast?: boolean;
}

/**
 * Batches of rows, each made when its turn comes: what training and evaluation are fed with.
 *
 * The order is a keyed permutation, so a state is one number ({row}) and any place is reached at equal cost.
 *
 * @throws ARGUMENT_INVALID for a batch size below 1
 * @example fit({ ..., train: (shuffle) => feedBatches(augmentedFeeds(source, { input: "image", shift: 0.1 }), { batchSize: 32, shuffle }) })
 */
export function feedBatches(source: FeedSource, { batchSize, shuffle, dropLast = false }: FeedBatchesOptions): Dataset<Tensors> {
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `a batch size must be a whole number from 1, not ${batchSize}`, { batchSize });
  }
  const { rows } = source;
  const used = dropLast ? rows - (rows % batchSize) : rows;
  const rowAt = shuffle === undefined ? (position: number) => position : permutation({ length: rows, ...shuffle });
  return dataset(used, (state) => {
    let position = state === undefined ? 0 : readCount(state, "row");
    return datasetIterator({
      state: () => ({ row: position }),
      async next() {
        if (position >= used) return undefined;
        const start = position;
        const indices = Uint32Array.from({ length: Math.min(batchSize, used - start) }, (_, i) => rowAt(start + i));
        const feeds = await source.feedsAt(indices, shuffle);
        position = start + indices.length;
        return feeds;
      },
    });
  });
}

/** The feeds of some rows of a source, in the order of `indices`: a part of a split. What is random stays that of the source's rows. */
export function feedsOfRows(source: FeedSource, indices: Uint32Array): FeedSource {
  return {
    rows: indices.length,
    feedsAt: (rows, pass) =>
      source.feedsAt(
        rows.map((row) => indices[row]!), // rows are below the number of indices
        pass,
      ),
  };
}
