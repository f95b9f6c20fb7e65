import type { Column } from "../columns.ts";
import { EspalierError } from "../errors.ts";

/** Year, month and day; hours, minutes, seconds and their parts; and the zone. ISO 8601, with "/" and a space allowed as people write them. */
const pattern = /^(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?)?\s?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * A column of times as milliseconds since 1970 in UTC, or the numbers as they are.
 *
 * Text without a zone is taken for UTC: its order and distances are what counts, not the place.
 *
 * @param missing whether a row may have no time; default refused
 * @returns one number a row, NaN for a missing one
 * @throws COLUMN_TYPE naming row and value for a missing time, and for text that is not written from year to second
 */
export function parseTimes(column: Column, name: string, { missing = "refused" }: { readonly missing?: "refused" | "allowed" } = {}): Float64Array {
  if (column.kind === "tensor") throw refuse(name, 0, "holds tensors, not times");
  if (column.kind === "number") {
    const bad = column.values.findIndex((value) => !Number.isFinite(value) && !(missing === "allowed" && Number.isNaN(value)));
    if (bad >= 0) throw refuse(name, bad, "the time is missing");
    return column.values;
  }
  const byCode = column.dictionary.map(parseTime);
  return Float64Array.from(column.codes, (code, row) => {
    const time = code < 0 && missing === "allowed" ? NaN : byCode[code];
    if (time !== undefined) return time;
    const value = column.dictionary[code];
    throw refuse(
      name,
      row,
      value === undefined
        ? "the time is missing"
        : `${JSON.stringify(value)} is not a time from year to second, such as 2026-11-25 or 2026-11-25T18:30:00Z`,
    );
  });
}

/** @returns milliseconds, or undefined for text that is no time */
export function parseTime(text: string): number | undefined {
  const found = pattern.exec(text.trim());
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(found[i] ?? (i === 3 ? 1 : 0))) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]; // six numbers
  const fraction = Number(`0${found[7] ?? ""}`);
  const date = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC carries what is too much into the next place: the 31st of February is refused here.
  const read = new Date(date);
  if (read.getUTCMonth() !== month - 1 || read.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return undefined;
  return date + Math.round(1000 * fraction) - zoneMs(found[8]);
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === "Z") return 0;
  const digits = zone.replaceAll(/\D/g, "");
  return (zone.startsWith("-") ? -1 : 1) * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000;
}

function refuse(column: string, row: number, problem: string): EspalierError {
  return new EspalierError("COLUMN_TYPE", `time column "${column}", row ${row + 1}: ${problem}`, { column, row: row + 1 });
}
