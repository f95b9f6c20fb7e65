import { EspalierError } from "../errors.ts";
import { dtypeOfCode } from "../operators/cast.ts";
import { allocate, bytesPerElement, elementCount, float16Memory, tensor, type DType, type Tensor, type TypedArray } from "../tensor.ts";
import { bytesOf, malformed, MessageFields } from "./protobuf-fields.ts";
import { readBigInts, readDoubles, readFloats, readInts, type ProtobufField } from "./protobuf.ts";

/** Where a tensor's bytes are in another file. */
export interface ExternalRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads a part of another file, `location` as the model names it: an untrusted relative path.
 *
 * @returns exactly `length` bytes
 */
export type ExternalData = (location: string, range: ExternalRange) => Uint8Array;

/** ONNX's names of the element types, by number. */
const typeNames: readonly string[] =
  "UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64 COMPLEX64 COMPLEX128 BFLOAT16 FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ UINT4 INT4 FLOAT4E2M1".split(
    " ",
  );

/**
 * Reads ONNX's `TensorProto` in any of its forms: raw bytes, a list by type, or bytes in another file.
 *
 * The shape is compared with the bytes that are there before anything is allocated.
 *
 * @throws DATA_MALFORMED, FORMAT_UNSUPPORTED naming the tensor
 */
export function readTensor(field: ProtobufField, externalData?: ExternalData): { readonly name: string; readonly value: Tensor } {
  const fields = new MessageFields(field);
  const name = fields.text(8);
  const what = `tensor "${name}"`;
  const shape = fields.all(1).flatMap(readInts);
  const dtype = readDtype(fields.int(2) ?? 0, what);
  const count = elementCount(shape);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || !Number.isSafeInteger(count)) {
    malformed(`${what} has the shape [${shape.join(", ")}]`);
  }
  if (fields.int(14) === 1) return { name, value: external(fields, { what, dtype, shape, externalData }) };
  if (dtype === "string") return { name, value: listed(dtype, shape, { what, values: fields.texts(6) }) };
  const raw = fields.last(9);
  const isRaw = raw !== undefined && (bytesOf(raw).byteLength > 0 || count === 0);
  return { name, value: isRaw ? fromBytes(bytesOf(raw), { what, dtype, shape }) : listed(dtype, shape, { what, values: list(fields, dtype) }) };
}

/** The element type of an ONNX number. @throws FORMAT_UNSUPPORTED naming the type */
export function readDtype(type: number, what: string): DType {
  const dtype = dtypeOfCode(type);
  if (dtype !== undefined) return dtype;
  const name = typeNames[type] ?? malformed(`${what} has the element type ${type}`);
  throw new EspalierError(
    "FORMAT_UNSUPPORTED",
    `this ONNX model cannot be read: ${what} has the element type ${name}, which Espalier does not have`,
    {
      type: name,
    },
  );
}

interface NumericType {
  readonly what: string;
  readonly dtype: Exclude<DType, "string">;
  readonly shape: readonly number[];
}

function fromBytes(bytes: Uint8Array, { what, dtype, shape }: NumericType): Tensor {
  const wanted = elementCount(shape) * bytesPerElement[dtype];
  if (bytes.byteLength !== wanted) malformed(`${what}, ${dtype} [${shape.join(", ")}], takes ${wanted} bytes, but ${bytes.byteLength} are there`);
  const memory: TypedArray = allocate(dtype, elementCount(shape));
  new Uint8Array(memory.buffer).set(bytes); // a copy: the element types need aligned memory
  return { dtype, shape, data: memory };
}

function listed(dtype: DType, shape: readonly number[], { what, values }: { what: string; values: readonly (number | bigint | string)[] }): Tensor {
  const count = elementCount(shape);
  if (values.length !== count) malformed(`${what}, ${dtype} [${shape.join(", ")}], takes ${count} elements, but ${values.length} are there`);
  return tensor(dtype, shape, values);
}

/** The list that a type's elements are in when they are not raw. */
function list(fields: MessageFields, dtype: Exclude<DType, "string">): readonly (number | bigint)[] {
  switch (dtype) {
    case "float16":
      return fromBits(fields.all(5).flatMap(readInts));
    case "float32":
      return fields.all(4).flatMap(readFloats);
    case "float64":
      return fields.all(10).flatMap(readDoubles);
    case "int64":
      return fields.all(7).flatMap(readBigInts);
    case "int32":
    case "uint8":
    case "bool":
      return fields.all(5).flatMap(readInts);
    default:
      return dtype satisfies never;
  }
}

/** float16 numbers that are listed as the whole numbers of their bits. */
function fromBits(bits: readonly number[]): readonly number[] {
  const numbers = new (float16Memory())(bits.length);
  new Uint16Array(numbers.buffer).set(bits);
  return Array.from(numbers);
}

/** A tensor in another file, with the loader that may read it. */
interface ExternalTensor extends Omit<NumericType, "dtype"> {
  readonly dtype: DType;
  readonly externalData: ExternalData | undefined;
}

function external(fields: MessageFields, { what, dtype, shape, externalData }: ExternalTensor): Tensor {
  const entries = new Map(fields.all(13).map((field) => [new MessageFields(field).text(1), new MessageFields(field).text(2)] as const));
  const location = entries.get("location") ?? malformed(`${what} is in another file, but no location is named`);
  if (dtype === "string") return malformed(`${what} is of strings, which cannot be in another file`);
  if (externalData === undefined) {
    throw new EspalierError(
      "FORMAT_UNSUPPORTED",
      `this ONNX model cannot be read: ${what} is in the file "${location}"; give externalData, which reads it, or import from a file with espalier/node`,
      { location },
    );
  }
  const wanted = elementCount(shape) * bytesPerElement[dtype];
  const offset = decimal(entries.get("offset") ?? "0", what);
  const length = decimal(entries.get("length") ?? String(wanted), what);
  if (length !== wanted) malformed(`${what}, ${dtype} [${shape.join(", ")}], takes ${wanted} bytes, but ${length} are said to be in "${location}"`);
  return fromBytes(externalData(location, { offset, length }), { what, dtype, shape });
}

function decimal(text: string, what: string): number {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : malformed(`${what} names the place "${text}" in another file`);
}
