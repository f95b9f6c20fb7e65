/** An entry of the heap: a pair and its count when it was pushed. */
interface Entry {
  readonly key: number;
  readonly count: number;
}

/**
 * Pairs by count, the most frequent first, of equals the one with the smaller key.
 *
 * A binary heap whose entries may be out of date: an entry counts only while its count is still the pair's.
 */
export class PairQueue {
  readonly #counts: ReadonlyMap<number, number>;
  readonly #heap: Entry[] = [];

  /** @param counts the pairs' counts, which the caller goes on changing; a changed pair must be pushed again */
  constructor(counts: ReadonlyMap<number, number>) {
    this.#counts = counts;
  }

  push(key: number): void {
    const count = this.#counts.get(key) ?? 0;
    if (count <= 0) return;
    const heap = this.#heap;
    const entry = { key, count };
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(entry, heap[parent]!)) break; // a parent's place is smaller
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  }

  /** The most frequent pair, which leaves the queue. */
  pop(): number | undefined {
    for (;;) {
      const top = this.#take();
      if (top === undefined || this.#counts.get(top.key) === top.count) return top?.key;
    }
  }

  #take(): Entry | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      const child = right < heap.length && before(heap[right]!, heap[left]!) ? right : left; // right is inside
      if (child >= heap.length || !before(heap[child]!, last)) break; // child is inside
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return top;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.count > b.count || (a.count === b.count && a.key < b.key);
}
