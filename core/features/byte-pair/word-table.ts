import { splitWords } from "./words.ts";

/** How often each word occurred, and how long the texts were: all that a vocabulary is learned from. Two parts of a data set merge into the whole's. */
export interface WordTable {
  readonly counts: ReadonlyMap<string, number>;
  /** By number of words: how many texts have so many. Longer ones than `longestCounted` count as that. */
  readonly lengths: ReadonlyMap<number, number>;
}

/** Different words that are kept; beyond twice as many, the rarest are forgotten. */
const maxWords = 200_000;

/** Texts are told apart by length up to so many words. */
const longestCounted = 4096;

/** The words of some texts. @param texts each with how often it occurs */
export function countWords(texts: Iterable<readonly [text: string, times: number]>): WordTable {
  const counts = new Map<string, number>();
  const lengths = new Map<number, number>();
  for (const [text, times] of texts) {
    const found = splitWords(text);
    for (const word of found) counts.set(word, (counts.get(word) ?? 0) + times);
    const length = Math.min(longestCounted, found.length);
    lengths.set(length, (lengths.get(length) ?? 0) + times);
  }
  return { counts: bounded(counts), lengths };
}

/** Two tables as one. */
export function mergeWordTables(a: WordTable, b: WordTable): WordTable {
  return { counts: bounded(addUp(a.counts, b.counts)), lengths: addUp(a.lengths, b.lengths) };
}

function addUp<K>(a: ReadonlyMap<K, number>, b: ReadonlyMap<K, number>): Map<K, number> {
  const sum = new Map(a);
  for (const [key, count] of b) sum.set(key, (sum.get(key) ?? 0) + count);
  return sum;
}

/** Memory stays bounded however many words there are: the most frequent stay, ties in the order of code units. */
function bounded(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (counts.size <= 2 * maxWords) return counts;
  const sorted = [...counts].toSorted(([a, timesA], [b, timesB]) => timesB - timesA || (a < b ? -1 : 1));
  return new Map(sorted.slice(0, maxWords));
}
