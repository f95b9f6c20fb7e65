import { EspalierError } from "./errors.ts";

/**
 * The candidates most like a name that was not found, for the "did you mean" of an error.
 *
 * Compared without case and without spaces, dashes and underscores first, then by edits. A candidate is near when at most a third of its
 * letters (at least two) must change, or when one name begins with the other.
 *
 * @param limit how many at most; default 3
 * @returns the nearest first; none when nothing is near
 * @example nearestNames("specis", ["species", "island"]) // ["species"]
 */
export function nearestNames(name: string, candidates: Iterable<string>, { limit = 3 }: { readonly limit?: number } = {}): string[] {
  const wanted = fold(name);
  const scored: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of candidates) {
    const folded = fold(candidate);
    const distance = editDistance(wanted, folded);
    const allowed = Math.max(2, Math.floor(Math.max(wanted.length, folded.length) / 3));
    const prefix = wanted.length >= 2 && folded.length >= 2 && (folded.startsWith(wanted) || wanted.startsWith(folded));
    if (distance <= allowed && distance < Math.max(wanted.length, folded.length)) scored.push({ candidate, distance });
    else if (prefix) scored.push({ candidate, distance: allowed + 1 });
  }
  scored.sort((a, b) => a.distance - b.distance);
  return scored.slice(0, limit).map(({ candidate }) => candidate);
}

/**
 * The end of an error's sentence: `; did you mean "species"?`, or the names there are when none is near.
 *
 * @param limit how many names are listed when none is near; default 12
 */
export function suggestNames(name: string, candidates: Iterable<string>, { limit = 12 }: { readonly limit?: number } = {}): string {
  const all = [...candidates];
  const near = nearestNames(name, all);
  if (near.length > 0) return `; did you mean ${near.map((item) => JSON.stringify(item)).join(" or ")}?`;
  if (all.length === 0) return "; there are none";
  const more = all.length > limit ? ` and ${all.length - limit} more` : "";
  return `; there are ${all
    .slice(0, limit)
    .map((item) => JSON.stringify(item))
    .join(", ")}${more}`;
}

/**
 * Refuses arguments that are not there: what a misspelt name says would otherwise be lost.
 *
 * @param where the function, for the error
 * @param given options; what is undefined counts as not given
 * @throws ARGUMENT_INVALID with the nearest name
 */
export function checkNames(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.entries(given).find(([name, value]) => value !== undefined && !known.includes(name))?.[0];
  if (unknown === undefined) return;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: no argument "${unknown}"${suggestNames(unknown, known)}`, { unknownArgument: unknown });
}

/** An argument that is one of several words. @throws ARGUMENT_INVALID with the nearest */
export function checkChoice<Choice extends string>(where: string, argument: string, value: unknown, choices: readonly Choice[]): Choice {
  const known = choices.find((choice) => choice === value);
  if (known !== undefined) return known;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: no ${argument} ${JSON.stringify(value)}${suggestNames(String(value), choices)}`, {
    argument,
    value,
  });
}

function fold(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[\s_-]/g, "")
    .slice(0, 64); // longer names would cost a square of their length
}

/**
 * Insertions, deletions, changes and swaps of neighbours from one word to another.
 *
 * @see optimal string alignment distance, https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change); // rows have b.length + 1 places
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
