import { learnMerges } from "./learn-merges.ts";
import { createTokenizer } from "./tokenizer.ts";
import type { WordTable } from "./word-table.ts";

/** What a text feature may be. */
export interface FitTextOptions {
  /** Default 8192. */
  readonly maxVocabulary?: number;
  /** By default from the texts. */
  readonly maxLength?: number;
}

/** Of all texts, this share is whole when the length is found; the longest rest is cut. */
const wholeShare = 0.95;

/** The longest row that is found; attention costs its square. */
const longestRow = 256;

/**
 * Vocabulary and row length of some texts.
 *
 * The length comes from the counted words alone, so that one pass over the data is enough: as many words as 95% of the texts have, times the tokens that a word takes on average, in
 * whole multiples of 8 from 8 to 256.
 */
export function fitText(
  { counts, lengths }: WordTable,
  { maxVocabulary = 8192, maxLength }: FitTextOptions,
): { readonly merges: readonly number[]; readonly maxLength: number } {
  const merges = learnMerges(counts, { maxVocabulary });
  if (maxLength !== undefined) return { merges, maxLength };
  const tokenizer = createTokenizer(merges);
  let words = 0;
  let tokens = 0;
  for (const [word, times] of counts) {
    words += times;
    tokens += times * (tokenizer.encode(word).length - 1); // without the start
  }
  const needed = 1 + Math.ceil(quantile(lengths, wholeShare) * (words === 0 ? 1 : tokens / words));
  return { merges, maxLength: Math.min(longestRow, Math.max(8, 8 * Math.ceil(needed / 8))) };
}

/** The smallest value that at least a share of all is not above. */
function quantile(counts: ReadonlyMap<number, number>, share: number): number {
  const sorted = [...counts].toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  let sum = 0;
  for (const [value, count] of sorted) {
    sum += count;
    if (sum >= share * total) return value;
  }
  return 0;
}
