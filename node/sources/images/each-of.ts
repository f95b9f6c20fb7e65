import { EspalierError } from "../../../core/index.ts";

/** Images that are worked on at once: enough for every core, few enough for memory. */
const atOnce = 8;

/** How many items are worked on, and who hears of it. */
export interface EachOptions {
  readonly signal?: AbortSignal;
  /** Told after each item. */
  readonly onDone?: (done: number) => void;
}

/**
 * Works on items, several at once, and gives the results in the items' order.
 *
 * @throws CANCELLED; the first failure in the order of time, once what is under way has ended
 */
export async function eachOf<T, U>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<U>,
  { signal, onDone }: EachOptions = {},
): Promise<U[]> {
  const results: U[] = Array.from({ length: items.length });
  let next = 0;
  let done = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      if (signal?.aborted === true) throw new EspalierError("CANCELLED", `reading was stopped after ${done} of ${items.length} images`);
      const index = next++;
      try {
        results[index] = await work(items[index]!, index); // index is below the length
      } catch (error) {
        failed = true;
        throw error;
      }
      done += 1;
      onDone?.(done);
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return results;
}
