/** The token that fills a row up. */
export const paddingToken = 0;

/** The token that every text begins with, so that an empty text is not all padding. */
export const startToken = 1;

/** The token of the first byte; the 255 others and then the merges follow. */
export const firstByteToken = 2;

/** The token of the first merge. */
export const firstMergeToken: number = firstByteToken + 256;

/**
 * All bytes in the order of their tokens: those that print in Latin-1 first, as in GPT-2's vocabulary. The order decides between pairs that are equally frequent, so that other
 * implementations learn the same merges.
 *
 * @see https://github.com/openai/gpt-2/blob/master/src/encoder.py (bytes_to_unicode)
 */
export const bytesInOrder: readonly number[] = ((): readonly number[] => {
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  return [...all.filter(printable), ...all.filter((byte) => !printable(byte))];
})();

/** The token of each byte. */
export const tokenOfByte: readonly number[] = Array.from({ length: 256 }, (_, byte) => firstByteToken + bytesInOrder.indexOf(byte));
