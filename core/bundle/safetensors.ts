import { EspalierError, type ErrorCode } from "../errors.ts";
import { allocate, bytesPerElement, elementCount, type DType, type Tensor, type Tensors, type TypedArray } from "../tensor.ts";

/** Where one tensor lies in a safetensors file. */
export interface TensorLocation {
  readonly dtype: Exclude<DType, "string">;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, from the end of the header. */
  readonly start: number;
  readonly end: number;
}

/** What a safetensors file says of itself before its data. */
export interface SafetensorsHeader {
  readonly tensors: Readonly<Record<string, TensorLocation>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The file offset at which the data starts. */
  readonly dataStart: number;
}

/** The reference implementation refuses longer headers. */
const maxHeaderBytes = 100_000_000;

const formatNames: Readonly<Record<Exclude<DType, "string">, string>> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  bool: "BOOL",
};

/**
 * Tensors as one safetensors file: 8-byte little-endian header length, JSON header, raw data. Wider elements come first, so that every
 * tensor is aligned to its element.
 *
 * @param metadata free strings, kept in the header's `__metadata__`
 * @throws TENSOR_INVALID for string tensors
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(tensors: Tensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors).map(([name, value]) => ({ name, value, bytes: tensorBytes(value, name) }));
  entries.sort((a, b) => width(b.value) - width(a.value) || (a.name < b.name ? -1 : 1));
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let end = 0;
  for (const { name, value, bytes } of entries) {
    header[name] = { dtype: formatNames[value.dtype as TensorLocation["dtype"]], shape: value.shape, data_offsets: [end, (end += bytes.length)] }; // tensorBytes refused strings
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = 8 + Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(dataStart + end);
  file.fill(0x20, 8, dataStart); // the format pads its header with spaces
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  file.set(json, 8);
  let at = dataStart;
  for (const { bytes } of entries) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** The number of header bytes, from a file's first 8 bytes; the whole header is `8 + this`. */
export function readHeaderLength(first8: Uint8Array, fileBytes: number, code: ErrorCode = "BUNDLE_CORRUPT"): number {
  if (first8.length < 8) throw corrupt(code, `a safetensors file has at least 8 bytes, this has ${first8.length}`);
  const length = Number(new DataView(first8.buffer, first8.byteOffset, 8).getBigUint64(0, true));
  if (length > maxHeaderBytes || length + 8 > fileBytes)
    throw corrupt(code, `the header would take ${length} bytes of a file of ${fileBytes}; the file is cut short or is not safetensors`);
  return length;
}

/**
 * Reads and checks a header: every tensor's bytes must match its shape, and together they must cover the data exactly once.
 *
 * @param head the file from its first byte to the end of the header (more does not matter)
 * @param fileBytes the size of the whole file
 * @param code the error code for a bad file
 */
export function readHeader(head: Uint8Array, fileBytes: number, code: ErrorCode = "BUNDLE_CORRUPT"): SafetensorsHeader {
  const dataStart = 8 + readHeaderLength(head.subarray(0, 8), fileBytes, code);
  const parsed = parseJson(head.subarray(8, dataStart), code);
  const metadata: Record<string, string> = {};
  const tensors: Record<string, TensorLocation> = {};
  for (const [name, entry] of Object.entries(parsed)) {
    if (name === "__metadata__") {
      for (const [key, text] of Object.entries(Object(entry) as object)) if (typeof text === "string") metadata[key] = text; // any object will do
    } else if (name === "__proto__") {
      throw corrupt(code, 'a tensor cannot be named "__proto__"');
    } else {
      tensors[name] = readLocation(name, entry, code);
    }
  }
  let expected = 0;
  for (const [name, { start, end }] of Object.entries(tensors).toSorted(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (start !== expected) throw corrupt(code, `tensor "${name}" starts at byte ${start}, expected ${expected}`);
    expected = end;
  }
  if (dataStart + expected !== fileBytes) throw corrupt(code, `the header describes ${dataStart + expected} bytes, the file has ${fileBytes}`);
  return { tensors, metadata, dataStart };
}

/** All tensors of a file in memory, copied out of it. */
export function decodeSafetensors(
  file: Uint8Array,
  code: ErrorCode = "BUNDLE_CORRUPT",
): { readonly tensors: Tensors; readonly metadata: Readonly<Record<string, string>> } {
  const header = readHeader(file, file.length, code);
  const tensors: Record<string, Tensor> = {};
  for (const [name, location] of Object.entries(header.tensors)) {
    tensors[name] = readTensor(location, file.subarray(header.dataStart + location.start, header.dataStart + location.end));
  }
  return { tensors, metadata: header.metadata };
}

/** One tensor from its bytes, copied. */
export function readTensor({ dtype, shape }: TensorLocation, bytes: Uint8Array): Tensor {
  const data = allocate(dtype, elementCount(shape));
  new Uint8Array(data.buffer).set(bytes);
  return { dtype, shape, data };
}

/** A tensor's bytes as a file holds them (little-endian, as every machine that runs JavaScript today). */
export function tensorBytes(value: Tensor, name: string): Uint8Array {
  if (value.dtype === "string")
    throw new EspalierError("TENSOR_INVALID", `tensor "${name}" holds strings, which safetensors cannot; encode them as numbers`, { name });
  const data = value.data as TypedArray; // strings were refused
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function width(value: Tensor): number {
  return value.dtype === "string" ? 0 : bytesPerElement[value.dtype];
}

function readLocation(name: string, entry: unknown, code: ErrorCode): TensorLocation {
  const { dtype: format, shape, data_offsets: offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown }; // each is checked below
  const dtype = (Object.keys(formatNames) as TensorLocation["dtype"][]).find((candidate) => formatNames[candidate] === format);
  if (dtype === undefined)
    throw corrupt(code, `tensor "${name}" has dtype ${JSON.stringify(format)}; supported are ${Object.values(formatNames).join(", ")}`);
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) throw corrupt(code, `tensor "${name}" has no valid shape and data_offsets`);
  const [start, end] = offsets as [number, number]; // two sizes
  const bytes = elementCount(shape) * bytesPerElement[dtype];
  if (end - start !== bytes)
    throw corrupt(code, `tensor "${name}" of shape [${shape.join(", ")}] takes ${bytes} bytes, its offsets give ${end - start}`);
  return { dtype, shape, start, end };
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= 32 && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function parseJson(bytes: Uint8Array, code: ErrorCode): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>; // an object was checked for
  } catch (cause) {
    throw corrupt(code, "the safetensors header is not JSON", cause);
  }
  throw corrupt(code, "the safetensors header is not a JSON object");
}

function corrupt(code: ErrorCode, message: string, cause?: unknown): EspalierError {
  return new EspalierError(code, message, {}, { cause });
}
