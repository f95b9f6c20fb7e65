import { EspalierError } from "../../errors.ts";

/** Parsed JSON of which nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A value that must be an object. @throws ARGUMENT_INVALID saying where */
export function objectAt(value: unknown, where: string): JsonObject {
  if (isObject(value)) return value;
  return refuse(`${where} must be an object, not ${shown(value)}`, { where });
}

/** A value that must be a list. @throws ARGUMENT_INVALID saying where */
export function listAt(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[]; // a list of anything
  return refuse(`${where} must be a list, not ${shown(value)}`, { where });
}

/** A value that must be text. @throws ARGUMENT_INVALID saying where */
export function textAt(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  return refuse(`${where} must be text, not ${shown(value)}`, { where });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws ARGUMENT_INVALID */
export function refuse(message: string, details: Readonly<Record<string, unknown>> = {}): never {
  throw new EspalierError("ARGUMENT_INVALID", `Keras configuration: ${message}`, details);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
