/** A longer run is cut: a text without spaces must not become one word of a megabyte. */
const longestWord = 64;

/**
 * Words, numbers, punctuation, each with the space before it. Everything beyond ASCII counts as letters: tables of what is a letter differ from engine to engine with the version of
 * Unicode, and the same text must give the same tokens everywhere.
 */
const words = new RegExp(
  [`[a-zA-Z\\u0080-\\u{10ffff}]`, `[0-9]`, `[^ a-zA-Z0-9\\u0080-\\u{10ffff}]`].map((kind) => ` ?${kind}{1,${longestWord}}`).join("|"),
  "gu",
);

/**
 * A text as the vocabulary sees it: in lower case, with single spaces, one of them in front (so that a word is the same at the start and inside).
 *
 * @returns "" for a text of nothing but spaces
 */
export function normalizeText(text: string): string {
  const trimmed = text
    .toLowerCase()
    .replaceAll(/[ \t\n\r\v\f]+/g, " ")
    .replaceAll(/^ | $/g, "");
  return trimmed === "" ? "" : ` ${trimmed}`;
}

/** The pieces of a text that no merge crosses; joined they are `normalizeText(text)`. */
export function splitWords(text: string): readonly string[] {
  return normalizeText(text).match(words) ?? [];
}
