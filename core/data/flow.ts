import { EspalierError } from "../errors.ts";
import { closeIterator } from "./combinators.ts";
import type { Dataset, DatasetIterator, DatasetState } from "./dataset.ts";
import { dataset, datasetIterator, readCount, readState, readStates } from "./iterator.ts";

/**
 * Keeps the items of the first complete pass in memory; later passes read nothing. State: {item, source}.
 *
 * A pass that starts from a state before the cache is complete reads from there, and leaves the cache as it is.
 */
export function cache<T>(source: Dataset<T>): Dataset<T> {
  let kept: { readonly items: readonly T[]; readonly states: readonly DatasetState[] } | undefined;
  return dataset(source.rows, (state) => {
    let item = state === undefined ? 0 : readCount(state, "item");
    const complete = kept;
    if (complete !== undefined) {
      return datasetIterator<T>({
        state: () => ({ item, source: complete.states[item] ?? {} }),
        next: () => complete.items[item++],
      });
    }
    const iterator = source.iterate(state === undefined ? undefined : readState(state, "source"));
    const items: T[] = [];
    const states: DatasetState[] = [iterator.state()];
    return datasetIterator<T>({
      state: () => ({ item, source: iterator.state() }),
      async next() {
        const { done, value } = await iterator.next();
        if (done === true) {
          if (state === undefined) kept ??= { items, states };
          return undefined;
        }
        item += 1;
        if (state === undefined) {
          items.push(value);
          states.push(iterator.state());
        }
        return value;
      },
      close: () => closeIterator(iterator),
    });
  });
}

/**
 * Reads up to `items` items ahead while the reader works on the last one. State: the source's, as of the item that comes next.
 *
 * @throws ARGUMENT_INVALID below 1
 */
export function prefetch<T>(source: Dataset<T>, { items = 2 }: { readonly items?: number } = {}): Dataset<T> {
  if (!Number.isSafeInteger(items) || items < 1)
    throw new EspalierError("ARGUMENT_INVALID", `prefetch: items is a whole number from 1, not ${items}`, { items });
  return dataset(source.rows, (start) => {
    const iterator = source.iterate(start);
    let state = iterator.state();
    const ahead: Promise<{ readonly result: IteratorResult<T>; readonly after: DatasetState }>[] = [];
    const request = (): void => {
      // One read at a time: each waits for the one before, so that the state after it is its own.
      const before = ahead.at(-1);
      const read = (async () => {
        const last = await before;
        if (last?.result.done === true) return last;
        return { result: await iterator.next(), after: iterator.state() };
      })();
      read.catch(() => undefined); // a failure is reported when its turn comes
      ahead.push(read);
    };
    return datasetIterator<T>({
      state: () => state,
      async next() {
        while (ahead.length < items + 1) request();
        const { result, after } = await ahead[0]!; // filled just now
        void ahead.shift();
        if (result.done === true) return undefined;
        state = after;
        return result.value;
      },
      async close() {
        await Promise.allSettled(ahead);
        await closeIterator(iterator);
      },
    });
  });
}

/**
 * One item of each data set in turn; those that end are left out. State: {turn, open, sources}.
 */
export function interleave<T>(sources: readonly Dataset<T>[]): Dataset<T> {
  const rows = sources.reduce<number | undefined>(
    (sum, source) => (sum === undefined || source.rows === undefined ? undefined : sum + source.rows),
    0,
  );
  return dataset(rows, (state) => {
    const places = state === undefined ? undefined : readStates(state, "sources");
    if (places !== undefined && places.length !== sources.length) {
      throw new EspalierError("CHECKPOINT_INVALID", `this state is of ${places.length} interleaved data sets, not ${sources.length}`, { state });
    }
    let turn = state === undefined ? 0 : readCount(state, "turn");
    const open = sources.map((_, i) => (typeof state?.open === "string" ? state.open[i] === "1" : true));
    const iterators: readonly DatasetIterator<T>[] = sources.map((source, i) => source.iterate(places?.[i]));
    return datasetIterator<T>({
      state: () => ({ turn, open: open.map((is) => (is ? "1" : "0")).join(""), sources: iterators.map((iterator) => iterator.state()) }),
      async next() {
        while (open.includes(true)) {
          const i = turn;
          turn = (turn + 1) % sources.length;
          if (!open[i]) continue;
          const { done, value } = await iterators[i]!.next(); // turn counts sources
          if (done !== true) return value;
          open[i] = false;
        }
        return undefined;
      },
      async close() {
        for (const iterator of iterators) await closeIterator(iterator);
      },
    });
  });
}
