/**
 * JSON with sorted keys and no spaces: the same text for the same data, whatever order it was built in.
 *
 * @see RFC 8785 (JSON Canonicalization Scheme), which sorts keys by UTF-16 code units, as `toSorted` does
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
