import { keep, tensor as makeTensor, type DataType, type Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { EspalierError, type DType, type Tensor, type TypedArray } from "../../core/index.ts";

/** TensorFlow.js has four element types: 64-bit whole numbers and bytes are kept as int32, float16, float64 and strings are refused at compile time. */
const memoryTypes: Readonly<Partial<Record<DType, DataType>>> = {
  float32: "float32",
  int32: "int32",
  int64: "int32",
  uint8: "int32",
  bool: "bool",
};

/** The element type on the device; undefined where there is none. */
export function memoryType(dtype: DType): DataType | undefined {
  return memoryTypes[dtype];
}

/**
 * Copies a tensor to the device. The caller disposes it.
 *
 * @param what names the tensor in errors
 * @throws TENSOR_INVALID for an int64 outside int32
 */
export function upload(what: string, value: Tensor): TfTensor {
  const dtype = memoryType(value.dtype);
  if (dtype === undefined) throw new EspalierError("TENSOR_INVALID", `${what} is ${value.dtype}, which TensorFlow.js does not have`, { what });
  return keep(makeTensor(toDevice(what, value), [...value.shape], dtype));
}

function toDevice(what: string, { dtype, data }: Tensor): Float32Array | Int32Array | Uint8Array {
  if (data instanceof BigInt64Array) return Int32Array.from(data, (element) => toInt32(what, element));
  if (dtype === "uint8") return Int32Array.from(data as Uint8Array); // the dtype's memory
  // A copy: TensorFlow.js reads the caller's memory only when a kernel first needs it.
  return (data as Float32Array | Int32Array | Uint8Array).slice(); // float32, int32 and bool have these
}

function toInt32(what: string, element: bigint): number {
  const number = Number(element);
  if (number !== (number | 0)) {
    throw new EspalierError("TENSOR_INVALID", `${what} holds ${element}; TensorFlow.js computes int64 in 32 bits, so feed values within them`, {
      what,
      value: String(element),
    });
  }
  return number;
}

/** Copies a tensor from the device, in memory that the caller owns. */
export async function download(value: TfTensor, dtype: DType): Promise<Tensor> {
  const data = await value.data();
  return { dtype, shape: [...value.shape], data: fromDevice(data, dtype) };
}

function fromDevice(data: TypedArray, dtype: DType): TypedArray {
  switch (dtype) {
    case "int64":
      return BigInt64Array.from(data as Int32Array, BigInt); // memoryTypes
    case "uint8":
      return Uint8Array.from(data as Int32Array); // memoryTypes
    case "bool":
      return Uint8Array.from(data as Uint8Array);
    case "float32":
      return Float32Array.from(data as Float32Array);
    case "int32":
      return Int32Array.from(data as Int32Array);
    case "float16":
    case "float64":
    case "string":
      throw new EspalierError("TENSOR_INVALID", `TensorFlow.js does not have ${dtype}`, { dtype });
    default:
      return dtype satisfies never;
  }
}
