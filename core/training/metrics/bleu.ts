import { checkWhole } from "./arguments.ts";

/** A sentence as tokens: words, or numbers of a vocabulary. */
export type Tokens = readonly (string | number)[];

/** BLEU over a corpus, sentence by sentence. */
export interface Bleu {
  /** @param references one or more right answers */
  add(hypothesis: Tokens, references: readonly Tokens[]): void;
  /** From 0 to 100. */
  result(): number;
}

/**
 * BLEU: how many n-grams of a translation are in a reference, with a penalty for short ones. Precisions of 0 are smoothed as by sacreBLEU's default, halving from one to the next.
 *
 * @param options.maxOrder the longest n-grams; default 4
 * @throws ARGUMENT_INVALID
 * @see K. Papineni et al., BLEU: a method for automatic evaluation of machine translation (2002)
 * @see M. Post, A call for clarity in reporting BLEU scores (2018)
 */
export function createBleu({ maxOrder = 4 }: { readonly maxOrder?: number } = {}): Bleu {
  checkWhole("createBleu", { maxOrder });
  const matches = Array.from({ length: maxOrder }, () => 0);
  const totals = Array.from({ length: maxOrder }, () => 0);
  let [length, referenceLength] = [0, 0];
  return {
    add(hypothesis, references) {
      length += hypothesis.length;
      referenceLength += nearestLength(hypothesis.length, references);
      for (let order = 1; order <= maxOrder; order++) {
        const allowed = new Map<string, number>();
        for (const reference of references) {
          for (const [gram, count] of ngrams(reference, order)) allowed.set(gram, Math.max(count, allowed.get(gram) ?? 0));
        }
        for (const [gram, count] of ngrams(hypothesis, order)) {
          matches[order - 1]! += Math.min(count, allowed.get(gram) ?? 0); // there is a place for each order
          totals[order - 1]! += count;
        }
      }
    },
    result() {
      let smoothing = 1;
      let logs = 0;
      for (const [i, total] of totals.entries()) {
        if (total === 0) return 0;
        if (matches[i] === 0) smoothing *= 2;
        logs += Math.log(matches[i] === 0 ? 100 / (smoothing * total) : (100 * matches[i]!) / total); // a match count for each total
      }
      if (matches.every((count) => count === 0)) return 0;
      const brevity = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1;
      return brevity * Math.exp(logs / maxOrder);
    },
  };
}

function ngrams(tokens: Tokens, order: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + order <= tokens.length; start++) {
    const gram = JSON.stringify(tokens.slice(start, start + order));
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** The length of the reference that is nearest in length; the shorter of two. */
function nearestLength(length: number, references: readonly Tokens[]): number {
  const lengths = references.map((reference) => reference.length).toSorted((a, b) => Math.abs(a - length) - Math.abs(b - length) || a - b);
  return lengths[0] ?? 0;
}
