/**
 * A place in a dataset's stream: plain JSON, small whatever the position, from which the stream goes on at the very next item.
 * Each kind of dataset writes its own fields and nests its source's state.
 */
export type DatasetState = { readonly [field: string]: string | number | boolean | DatasetState | readonly DatasetState[] };

/** One pass over a dataset. */
export interface DatasetIterator<T> extends AsyncIterableIterator<T> {
  /** Where the next item is. */
  state(): DatasetState;
}

/** A stream that can be read again and again, from the start or from a state. */
export interface Dataset<T> extends AsyncIterable<T> {
  /** The number of rows (not of items), when it is known without reading. */
  readonly rows: number | undefined;
  /** Starts a pass. @param state where an earlier pass stood; absent: from the start */
  iterate(state?: DatasetState): DatasetIterator<T>;
  [Symbol.asyncIterator](): DatasetIterator<T>;
}
