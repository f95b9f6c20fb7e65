import { fieldText } from "./field-text.ts";

/** Whether a field stands for a missing value. */
export type MissingMatcher = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * A matcher of texts for missing values, spaces around them aside.
 *
 * Most fields are told apart by their first byte, without making a string.
 */
export function missingMatcher(texts: ReadonlySet<string>): MissingMatcher {
  // Spaces and bytes of other scripts' spaces may come before a text.
  const maybe = Uint8Array.from({ length: 256 }, (_, byte) => (byte <= 32 || byte >= 128 ? 1 : 0));
  for (const text of texts) for (const byte of new TextEncoder().encode(text.slice(0, 1))) maybe[byte] = 1;
  const emptyIsMissing = texts.has("");
  return (bytes, start, end) => {
    if (start === end) return emptyIsMissing;
    return maybe[bytes[start]!] === 1 && texts.has(fieldText(bytes, start, end).trim()); // inside the field
  };
}
