import { EspalierError } from "../../core/index.ts";
import { refuse, refuseFound } from "../json-fields.ts";
import type { Datatype } from "./datatypes.ts";

/** The header of a body that has raw tensors after its JSON: the JSON's length in bytes. */
export const headerLengthName = "inference-header-content-length";

/** Splits a body into its JSON and the raw tensors after it. @throws REQUEST_INVALID when the header is no length within the body */
export function splitBody(body: Uint8Array, headerLength: string | undefined): { readonly json: Uint8Array; readonly raw: Uint8Array } {
  if (headerLength === undefined) return { json: body, raw: body.subarray(body.length) };
  const length = /^\d{1,10}$/.test(headerLength) ? Number(headerLength) : -1;
  if (length < 1 || length > body.length)
    throw refuse(`header ${headerLengthName}`, `must be from 1 to the body's ${body.length} bytes`, headerLength);
  return { json: body.subarray(0, length), raw: body.subarray(length) };
}

/**
 * Reads one tensor's little-endian elements.
 *
 * @param count what the shape says
 * @returns numbers, or strings for BYTES
 * @throws REQUEST_INVALID when the bytes do not hold exactly `count` elements
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export function decodeTensor(bytes: Uint8Array, datatype: Datatype, { count, place }: { readonly count: number; readonly place: string }): unknown[] {
  if (datatype.kind === "bytes") return decodeStrings(bytes, count, place);
  if (bytes.length !== count * datatype.bytes) {
    throw refuseFound(place, `must have ${count * datatype.bytes} bytes for ${count} elements of ${datatype.name}`, `${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readers[datatype.name];
  if (read === undefined) throw new EspalierError("INTERNAL", `no reader for ${datatype.name}`);
  return Array.from({ length: count }, (_, i) => read(view, i * datatype.bytes));
}

/** Writes one tensor's elements as little-endian bytes. */
export function encodeTensor(values: readonly (number | string)[], datatype: string): Uint8Array<ArrayBuffer> {
  switch (datatype) {
    case "BYTES":
      return encodeStrings(values.map(String));
    case "FP32":
      return encodeNumbers(values, 4, (view, offset, value) => view.setFloat32(offset, value, true));
    case "FP64":
      return encodeNumbers(values, 8, (view, offset, value) => view.setFloat64(offset, value, true));
    case "INT64":
      return encodeNumbers(values, 8, (view, offset, value) => view.setBigInt64(offset, BigInt(value), true));
    default:
      throw new EspalierError("INTERNAL", `no writer for ${datatype}`);
  }
}

function decodeStrings(bytes: Uint8Array, count: number, place: string): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const texts: string[] = [];
  let offset = 0;
  while (offset < bytes.length && texts.length < count) {
    const start = offset + 4;
    const end = start <= bytes.length ? start + view.getUint32(offset, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.length)
      throw refuseFound(place, "must hold strings with their lengths before them", `a string that ends after the ${bytes.length} bytes`);
    try {
      texts.push(decoder.decode(bytes.subarray(start, end)));
    } catch (cause) {
      throw new EspalierError("REQUEST_INVALID", `${place}: element ${texts.length} is not UTF-8`, { place }, { cause });
    }
    offset = end;
  }
  if (texts.length === count && offset === bytes.length) return texts;
  throw refuseFound(place, `must hold ${count} strings and nothing else`, `${texts.length} strings and ${bytes.length - offset} more bytes`);
}

function encodeStrings(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const encoded = texts.map((text) => new TextEncoder().encode(text));
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const text of encoded) {
    view.setUint32(offset, text.length, true);
    bytes.set(text, offset + 4);
    offset += 4 + text.length;
  }
  return bytes;
}

function encodeNumbers(
  values: readonly (number | string)[],
  width: number,
  write: (view: DataView, offset: number, value: number) => void,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) write(view, i * width, Number(value));
  return bytes;
}

const readers: Readonly<Record<string, (view: DataView, offset: number) => number>> = {
  BOOL: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
  UINT8: (view, offset) => view.getUint8(offset),
  UINT16: (view, offset) => view.getUint16(offset, true),
  UINT32: (view, offset) => view.getUint32(offset, true),
  UINT64: (view, offset) => Number(view.getBigUint64(offset, true)),
  INT8: (view, offset) => view.getInt8(offset),
  INT16: (view, offset) => view.getInt16(offset, true),
  INT32: (view, offset) => view.getInt32(offset, true),
  INT64: (view, offset) => Number(view.getBigInt64(offset, true)),
  FP16: (view, offset) => halfToNumber(view.getUint16(offset, true)),
  FP32: (view, offset) => view.getFloat32(offset, true),
  FP64: (view, offset) => view.getFloat64(offset, true),
};

/** IEEE 754 binary16: one sign bit, five of exponent, ten of fraction. */
function halfToNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
