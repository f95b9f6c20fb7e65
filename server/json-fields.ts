import { EspalierError } from "../core/index.ts";

/** A JSON object. Its own fields only: read with `getField`. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A field of a JSON object; never something inherited. */
export function getField(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** @param place where the value stands, for the message: `inputs[2].shape` */
export function readObject(value: unknown, place: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject; // narrowed by the line's checks
  throw refuse(place, "must be an object", value);
}

export function readList(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw refuse(place, "must be a list", value);
}

export function readString(value: unknown, place: string): string {
  if (typeof value === "string") return value;
  throw refuse(place, "must be a string", value);
}

export function readOptionalString(value: unknown, place: string): string | undefined {
  return value === undefined ? undefined : readString(value, place);
}

/** A list of whole numbers from 0. */
export function readShape(value: unknown, place: string): readonly number[] {
  const sizes = readList(value, place);
  if (sizes.length <= maxRank && sizes.every((size): size is number => Number.isSafeInteger(size) && Number(size) >= 0)) return sizes;
  throw refuse(place, `must be at most ${maxRank} whole numbers from 0`, value);
}

/** A REQUEST_INVALID that shows the place, the rule and the value found. */
export function refuse(place: string, rule: string, value: unknown): EspalierError {
  return refuseFound(place, rule, show(value));
}

/** As `refuse`, for what was found in words: `3 elements`. */
export function refuseFound(place: string, rule: string, found: string): EspalierError {
  return new EspalierError("REQUEST_INVALID", `${place} ${rule}, not ${found}`, { place });
}

/** A JSON value for a message: short, whatever a client sent. */
export function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value))
    return value.length > 8 || value.some((item) => typeof item === "object") ? `a list of ${value.length}` : cut(JSON.stringify(value));
  if (typeof value === "object" && value !== null) return "an object";
  return cut(typeof value === "number" ? String(value) : JSON.stringify(value));
}

const maxRank = 8;

function cut(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
