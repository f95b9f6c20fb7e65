import { EspalierError } from "../../errors.ts";
import { bytesInOrder, firstByteToken, firstMergeToken, startToken, tokenOfByte } from "./bytes.ts";
import { mergePair, pairKey } from "./learn-merges.ts";
import { splitWords } from "./words.ts";

/** Texts as tokens and back, by learned merges. */
export interface Tokenizer {
  /** How many tokens there are, padding and start included. */
  readonly vocabulary: number;
  /** The start token and the text's, as many as they are. */
  encode(text: string): number[];
  /** The text of tokens, normalised as `encode` saw it; padding and start are nothing. @throws ARGUMENT_INVALID for a token that is not in the vocabulary */
  decode(tokens: Iterable<number>): string;
}

/** Words whose tokens are remembered: most texts are made of the same few thousand. */
const rememberedWords = 50_000;

/**
 * A tokenizer of learned merges.
 *
 * @param merges flat pairs, as `learnMerges` gives them
 * @throws ARGUMENT_INVALID for a merge of tokens that do not exist yet
 */
export function createTokenizer(merges: readonly number[]): Tokenizer {
  const ranks = rankMerges(merges);
  const bytes = tokenBytes(merges);
  const encoder = new TextEncoder();
  const known = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    const before = known.get(word);
    if (before !== undefined) return before;
    let tokens = Array.from(encoder.encode(word), (byte) => tokenOfByte[byte]!); // a token a byte
    for (;;) {
      let first: number | undefined;
      let place = 0;
      for (let i = 1; i < tokens.length; i++) {
        const token = ranks.get(pairKey(tokens[i - 1]!, tokens[i]!)); // inside the word
        if (token !== undefined && (first === undefined || token < first)) [first, place] = [token, i];
      }
      if (first === undefined) break;
      tokens = mergePair(tokens, { left: tokens[place - 1]!, right: tokens[place]!, token: first }); // place was found above
    }
    if (known.size < rememberedWords) known.set(word, tokens);
    return tokens;
  };
  return {
    vocabulary: firstMergeToken + merges.length / 2,
    encode: (text) => [startToken, ...splitWords(text).flatMap(encodeWord)],
    decode(tokens) {
      const parts: number[] = [];
      for (const token of tokens) {
        if (token >= 0 && token < firstByteToken) continue;
        const of = bytes[token - firstByteToken];
        if (of === undefined)
          throw new EspalierError("ARGUMENT_INVALID", `token ${token} is not in a vocabulary of ${bytes.length + firstByteToken}`, { token });
        parts.push(...of);
      }
      return new TextDecoder().decode(Uint8Array.from(parts));
    },
  };
}

/** The token that each pair becomes: earlier merges have smaller ones, and are done first. */
function rankMerges(merges: readonly number[]): ReadonlyMap<number, number> {
  const ranks = new Map<number, number>();
  for (let i = 0; i + 1 < merges.length; i += 2) {
    const token = firstMergeToken + i / 2;
    const [left, right] = [merges[i]!, merges[i + 1]!]; // i + 1 is inside
    const valid = (part: number): boolean => Number.isInteger(part) && part >= firstByteToken && part < token;
    if (!valid(left) || !valid(right))
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `merge ${i / 2} joins tokens ${left} and ${right}; they must be from ${firstByteToken} to ${token - 1}`,
        { merge: i / 2 },
      );
    ranks.set(pairKey(left, right), token);
  }
  return ranks;
}

/** The bytes of each token from the first byte's on. */
function tokenBytes(merges: readonly number[]): readonly (readonly number[])[] {
  const bytes: (readonly number[])[] = bytesInOrder.map((byte) => [byte]);
  for (let i = 0; i + 1 < merges.length; i += 2) bytes.push([...bytes[merges[i]! - firstByteToken]!, ...bytes[merges[i + 1]! - firstByteToken]!]); // checked by rankMerges
  return bytes;
}
