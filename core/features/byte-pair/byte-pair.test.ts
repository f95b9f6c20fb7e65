import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countWords, createTokenizer, firstMergeToken, learnMerges, mergeWordTables, normalizeText, splitWords, startToken } from "./index.ts";

/** Merges and tokens of Hugging Face's tokenizers: see test/golden/make-byte-pair.py. */
interface Golden {
  readonly texts: readonly string[];
  readonly vocabulary: number;
  readonly merges: readonly number[];
  readonly encoded: readonly { readonly text: string; readonly tokens: readonly number[] }[];
}

const golden = JSON.parse(readFileSync(new URL("../../../test/golden/byte-pair.json", import.meta.url), "utf8")) as Golden; // our own script wrote it
const once = (texts: readonly string[]): (readonly [string, number])[] => texts.map((text) => [text, 1]);
const merges = learnMerges(countWords(once(golden.texts)).counts, { maxVocabulary: 900 });

/** Letters, spaces, and any code point at all, halves of pairs included. */
const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.integer({ min: 9, max: 126 }), fc.constantFrom(32, 97, 98), fc.integer({ min: 0, max: 0x10ffff })), { maxLength })
    .map((codes) => String.fromCodePoint(...codes));

describe("byte-pair merges", () => {
  it("are those that Hugging Face's tokenizers learns, pair by pair", () => {
    expect(golden.merges.length).toBeGreaterThan(400);
    expect(merges).toEqual(golden.merges);
    expect(createTokenizer(merges).vocabulary).toBe(golden.vocabulary);
  });

  it("encode every text, also unseen ones, as Hugging Face's tokenizers does", () => {
    const tokenizer = createTokenizer(merges);
    for (const { text, tokens } of golden.encoded) expect(tokenizer.encode(text)).toEqual([startToken, ...tokens]);
  });

  it("are the same whatever the parts that were counted, in any grouping", () => {
    fc.assert(
      fc.property(fc.array(anyText(30), { minLength: 3, maxLength: 30 }), fc.nat(), fc.nat(), (texts, first, second) => {
        const [a, b] = [first % texts.length, second % texts.length].toSorted((left, right) => left - right) as [number, number]; // two of two
        const parts = [texts.slice(0, a), texts.slice(a, b), texts.slice(b)].map((part) => countWords(once(part)));
        const whole = countWords(once(texts));
        for (const merged of [
          mergeWordTables(mergeWordTables(parts[0]!, parts[1]!), parts[2]!),
          mergeWordTables(parts[0]!, mergeWordTables(parts[1]!, parts[2]!)),
        ]) {
          expect(new Map(merged.counts)).toEqual(new Map(whole.counts));
          expect(new Map(merged.lengths)).toEqual(new Map(whole.lengths));
          expect(learnMerges(merged.counts, { maxVocabulary: 300 })).toEqual(learnMerges(whole.counts, { maxVocabulary: 300 }));
        }
      }),
    );
  });

  it("lose nothing: tokens decode to the normalised text, whatever it is", () => {
    const tokenizer = createTokenizer(merges);
    fc.assert(
      fc.property(anyText(60), (text) => {
        const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(normalizeText(text)));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(expected);
        expect(splitWords(text).join("")).toBe(normalizeText(text));
      }),
    );
  });

  it("stop at the vocabulary's size and at pairs that occur once", () => {
    const { counts } = countWords([["ab ab cd", 1]]);
    // " ab" twice: first (a, b), then (space, ab); " cd" once gives nothing.
    expect(learnMerges(counts, { maxVocabulary: 1000 })).toHaveLength(4);
    expect(learnMerges(counts, { maxVocabulary: firstMergeToken + 1 })).toHaveLength(2);
    expect(learnMerges(new Map(), { maxVocabulary: 1000 })).toEqual([]);
  });

  it("cut a text without spaces, so that no word is longer than 65 characters", () => {
    expect(Math.max(...splitWords("x".repeat(10_000)).map((word) => word.length))).toBeLessThanOrEqual(65);
    expect(createTokenizer(merges).encode("y".repeat(100_000)).length).toBeLessThanOrEqual(100_002);
  });

  it("refuse a state that joins tokens that do not exist yet, and tokens beyond the vocabulary", () => {
    expect(() => createTokenizer([300, 5])).toThrow(/merge 0 joins tokens 300 and 5; they must be from 2 to 257/);
    expect(() => createTokenizer([1, 5])).toThrow(/merge 0/);
    expect(() => createTokenizer(merges).decode([900])).toThrow(/token 900 is not in a vocabulary of 477/);
  });
});
