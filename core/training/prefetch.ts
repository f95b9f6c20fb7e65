import type { DatasetIterator, DatasetState } from "../data/dataset.ts";

/** An item, and where the one after it is. */
export interface Placed<T> {
  readonly item: T;
  readonly position: DatasetState;
}

/** Reads one item ahead, so that the next batch is made while the device works on this one. */
export async function* prefetch<T>(iterator: DatasetIterator<T>): AsyncGenerator<Placed<T>, void, undefined> {
  let pending = ahead(iterator);
  try {
    for (;;) {
      const result = await pending;
      if (result.done === true) return;
      const position = iterator.state(); // before the next item is asked for
      pending = ahead(iterator);
      yield { item: result.value, position };
    }
  } finally {
    await pending.catch(() => undefined); // only when the reader left early: then nobody wants the item, nor its error
    await iterator.return?.();
  }
}

function ahead<T>(iterator: DatasetIterator<T>): Promise<IteratorResult<T>> {
  const next = iterator.next();
  next.catch(() => undefined); // thrown where it is awaited; this only marks it as owned until then
  return next;
}
