import { decodeSafetensors, encodeSafetensors, tensorBytes } from "../bundle/safetensors.ts";
import { EspalierError } from "../errors.ts";
import { Sha256 } from "../sha256.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** The version of the file that this release writes and reads. */
const formatVersion = "2";

/**
 * A checkpoint as one safetensors file: tensors `state/<name>` and `best/<name>`; the rest is JSON in the header's metadata, with a
 * SHA-256 over both.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { state, best, ...rest } = checkpoint;
  const tensors = { ...withPrefix("state/", state), ...withPrefix("best/", best?.state ?? {}) };
  const header = JSON.stringify({ ...rest, best: best === undefined ? undefined : { epoch: best.epoch, value: best.value } }, writeNumber);
  return encodeSafetensors(tensors, { format: "espalier-checkpoint", version: formatVersion, checkpoint: header, sha256: digest(header, tensors) });
}

/**
 * Reads a checkpoint file back.
 *
 * @param source what to call the file in messages
 * @throws CHECKPOINT_INVALID when it is cut short, changed, of another format version, or not a checkpoint
 */
export function decodeCheckpoint(bytes: Uint8Array, source = "checkpoint"): Checkpoint {
  const { tensors, metadata } = decode(bytes, source);
  if (metadata["format"] !== "espalier-checkpoint") throw invalid(source, "is a safetensors file, but not a checkpoint of Espalier");
  if (metadata["version"] !== formatVersion) {
    throw invalid(
      source,
      `has format version ${metadata["version"]}; this release reads ${formatVersion}; train anew or use the release that wrote it`,
    );
  }
  const header = metadata["checkpoint"] ?? "";
  const found = digest(header, tensors);
  if (found !== metadata["sha256"]) {
    throw invalid(
      source,
      `was changed after it was written: its SHA-256 is ${found}, it says ${metadata["sha256"]}; use another checkpoint or train anew`,
    );
  }
  return assemble(parse(header, source), tensors, source);
}

function decode(bytes: Uint8Array, source: string): { readonly tensors: Tensors; readonly metadata: Readonly<Record<string, string>> } {
  try {
    return decodeSafetensors(bytes, "CHECKPOINT_INVALID");
  } catch (cause) {
    throw invalid(source, `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function digest(header: string, tensors: Tensors): string {
  const encoder = new TextEncoder();
  const hash = new Sha256().update(encoder.encode(header));
  for (const [name, value] of Object.entries(tensors).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(encoder.encode(`\0${name}\0${value.dtype}\0${value.shape.join(",")}\0`)).update(tensorBytes(value, name));
  }
  return hash.hex();
}

function parse(header: string, source: string): object {
  try {
    const parsed: unknown = JSON.parse(header, readNumber);
    if (typeof parsed === "object" && parsed !== null) return parsed;
  } catch (cause) {
    throw invalid(source, "has a header that is not JSON", cause);
  }
  throw invalid(source, "has a header that is not a JSON object");
}

type Header = Omit<Checkpoint, "state" | "best"> & { readonly best?: { readonly epoch: number; readonly value: number } };

function assemble(header: object, tensors: Tensors, source: string): Checkpoint {
  const fields = header as Header; // checked next
  if (!isHeader(fields)) throw invalid(source, "has a header whose fields are not those of a checkpoint");
  return {
    ...fields,
    position: fields.position, // JSON leaves an undefined member out
    state: withoutPrefix("state/", tensors),
    best: fields.best === undefined ? undefined : { ...fields.best, state: withoutPrefix("best/", tensors) },
  };
}

function isHeader({ graphHash, seed, step, updates, pending, epoch, position, progress, history, callbacks, best, batchSize }: Header): boolean {
  const counts = [seed, step, updates, epoch, pending?.batches, progress?.rows, progress?.batches];
  const numbers = [pending?.weight, progress?.loss, progress?.weight, progress?.learningRate, ...Object.values(progress?.terms ?? {})];
  return (
    typeof graphHash === "string" &&
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    epoch >= 1 &&
    numbers.every(Number.isFinite) &&
    isObject(progress.terms) &&
    Array.isArray(history) &&
    history.every(isRecord) &&
    isObject(callbacks) &&
    Object.values(callbacks).every((state) => isObject(state) && holdsNoNull(state)) &&
    (batchSize === undefined || (Number.isSafeInteger(batchSize) && batchSize >= 1)) &&
    (position === undefined || (isObject(position) && holdsNoNull(position))) &&
    (best === undefined || (Number.isSafeInteger(best?.epoch) && typeof best?.value === "number"))
  );
}

function isRecord(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { epoch, step, rows, loss, losses = {}, learningRate, validation = {} } = value as Partial<Checkpoint["history"][number]>; // each is checked
  return (
    [epoch, step, rows].every((count) => Number.isSafeInteger(count) && Number(count) >= 0) &&
    [loss, learningRate].every((number) => typeof number === "number") &&
    [losses, validation].every((numbers) => isObject(numbers) && Object.values(numbers).every((number) => typeof number === "number"))
  );
}

function holdsNoNull(value: unknown): boolean {
  return value !== null && (typeof value !== "object" || Object.values(value).every(holdsNoNull));
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON has no NaN and no infinities: a metric of an epoch, or what a callback remembers, may be one. */
const notFinite: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity };

function writeNumber(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? { $number: String(value) } : value;
}

function readNumber(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$number" in value)) return value;
  return typeof value.$number === "string" && Object.hasOwn(notFinite, value.$number) ? notFinite[value.$number] : value;
}

function withPrefix(prefix: string, tensors: Tensors): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [prefix + name, value]));
}

function withoutPrefix(prefix: string, tensors: Tensors): Tensors {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

function invalid(source: string, message: string, cause?: unknown): EspalierError {
  return new EspalierError("CHECKPOINT_INVALID", `${source} ${message}`, { source }, { cause });
}
