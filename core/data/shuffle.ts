import type { Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { permutation } from "../permutation.ts";
import { deriveSeed } from "../random.ts";
import type { Dataset, DatasetIterator, DatasetState } from "./dataset.ts";
import { dataset, datasetIterator, readCount, readState } from "./iterator.ts";
import { concatColumns, gatherRows } from "./rows.ts";

/** What a data set may offer besides, when its rows are in memory: any rows in any order. */
export interface RowAccess {
  readonly rows: number;
  rowsAt(indices: ArrayLike<number>): Columns;
}

/** How rows are shuffled. */
export interface ShuffleOptions {
  readonly seed: number;
  /** Each epoch has an order of its own; default 0. */
  readonly epoch?: number;
  /** Rows that a stream is shuffled among; a table in memory is shuffled as a whole. Default 65 536. */
  readonly bufferRows?: number;
  /** Rows of an item; default 8192. */
  readonly chunkRows?: number;
}

/**
 * Rows in a seeded order.
 *
 * In memory the order is a keyed permutation of all rows; state: {row}. A stream is read in windows of `bufferRows` rows, and each window is permuted with a key of its own; state:
 * {window, row, source}, the place where the window begins: going on reads one window again, wherever it is, and nothing is refilled by luck.
 *
 * @throws ARGUMENT_INVALID for a window or chunk below 1
 */
export function shuffle(
  source: Dataset<Columns> | (Dataset<Columns> & RowAccess),
  { seed, epoch = 0, bufferRows = 65_536, chunkRows = 8192 }: ShuffleOptions,
): Dataset<Columns> {
  if (!(bufferRows >= 1) || !(chunkRows >= 1)) {
    throw new EspalierError("ARGUMENT_INVALID", `shuffle: bufferRows and chunkRows must be from 1, not ${bufferRows} and ${chunkRows}`, {
      bufferRows,
      chunkRows,
    });
  }
  const { rows } = source;
  if ("rowsAt" in source && rows !== undefined) {
    const rowsAt = (indices: ArrayLike<number>): Columns => source.rowsAt(indices);
    const order = permutation({ length: rows, seed, epoch });
    return dataset(rows, (state) => shuffleInMemory({ rows, rowsAt, order, chunkRows }, state));
  }
  return dataset(rows, (state) => shuffleStream(source, { seed, epoch, bufferRows, chunkRows }, state));
}

interface InMemory {
  readonly rows: number;
  readonly rowsAt: RowAccess["rowsAt"];
  readonly order: (position: number) => number;
  readonly chunkRows: number;
}

function shuffleInMemory({ rows, rowsAt, order, chunkRows }: InMemory, state?: DatasetState): DatasetIterator<Columns> {
  let row = state === undefined ? 0 : readCount(state, "row");
  return datasetIterator({
    state: () => ({ row }),
    next() {
      if (row >= rows) return undefined;
      const start = row;
      row = Math.min(rows, start + chunkRows);
      return rowsAt(Uint32Array.from({ length: row - start }, (_, i) => order(start + i)));
    },
  });
}

function shuffleStream(
  source: Dataset<Columns>,
  { seed, epoch, bufferRows, chunkRows }: Required<ShuffleOptions>,
  state?: DatasetState,
): DatasetIterator<Columns> {
  let window = state === undefined ? 0 : readCount(state, "window");
  let row = state === undefined ? 0 : readCount(state, "row");
  // Windows begin where items do, so that the place is a state of the source.
  const iterator = source.iterate(state === undefined ? undefined : readState(state, "source"));
  let begin = iterator.state();
  let rows: Columns | undefined;
  const fill = async (): Promise<Columns | undefined> => {
    begin = iterator.state();
    const parts: Columns[] = [];
    let length = 0;
    while (length < bufferRows) {
      const { done, value } = await iterator.next();
      if (done === true) break;
      parts.push(value);
      length += value.length;
    }
    return length === 0 ? undefined : concatColumns(parts);
  };
  return datasetIterator({
    state: () => ({ window, row, source: begin }),
    async next() {
      for (;;) {
        rows ??= await fill();
        if (rows === undefined) return undefined;
        if (row < rows.length) break;
        rows = undefined;
        window += 1;
        row = 0;
        begin = iterator.state();
      }
      const order = permutation({ length: rows.length, seed: deriveSeed(seed, "window", window), epoch });
      const start = row;
      row = Math.min(rows.length, start + chunkRows);
      return gatherRows(
        rows,
        Uint32Array.from({ length: row - start }, (_, i) => order(start + i)),
      );
    },
    close: async () => {
      await iterator.return?.();
    },
  });
}
