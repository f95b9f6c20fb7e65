/// <reference lib="es2025.float16" preserve="true" />
// Float16Array is younger than the library that this project, and many a user of its types, compiles with.

import { EspalierError } from "./errors.ts";

/** Element types, named as in ONNX's `TensorProto` but spelled out. `bool` is stored as one byte an element, 0 or 1. */
export type DType = "float16" | "float32" | "float64" | "int32" | "int64" | "uint8" | "bool" | "string";

/** The memory of a numeric tensor. */
export type TypedArray = Float16Array | Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** A dense, row-major array. Plain data: a backend's device memory never hides behind one. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray | readonly string[];
}

/** Tensors by name: what goes into a run and what comes out. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Bytes of one element; strings have no fixed size. */
export const bytesPerElement: Readonly<Record<Exclude<DType, "string">, number>> = {
  float16: 2,
  float32: 4,
  float64: 8,
  int32: 4,
  int64: 8,
  uint8: 1,
  bool: 1,
};

/** The number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Makes a tensor and checks it.
 *
 * @param data a typed array of the dtype's class (shared, not copied), or plain numbers or strings (copied)
 * @throws TENSOR_INVALID when the element count or the class does not match
 * @example tensor("float32", [2, 3], [1, 2, 3, 4, 5, 6])
 */
export function tensor(dtype: DType, shape: readonly number[], data: TypedArray | readonly (number | bigint | boolean | string)[]): Tensor {
  const count = elementCount(shape);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new EspalierError("TENSOR_INVALID", `a shape must be whole numbers from 0, not [${shape.join(", ")}]`, { shape });
  }
  if (data.length !== count) {
    throw new EspalierError("TENSOR_INVALID", `shape [${shape.join(", ")}] takes ${count} elements, not ${data.length}`, {
      shape,
      length: data.length,
    });
  }
  return { dtype, shape, data: toMemory(dtype, data) };
}

/** A tensor without dimensions, of one element. */
export function scalar(value: number, dtype: DType = "float32"): Tensor {
  return tensor(dtype, [], [value]);
}

/** A tensor of zeros. */
export function zeros(dtype: Exclude<DType, "string">, shape: readonly number[]): Tensor {
  return { dtype, shape, data: allocate(dtype, elementCount(shape)) };
}

/** Zeroed memory for `count` elements. @throws TENSOR_INVALID for float16 where the JavaScript engine has no Float16Array */
export function allocate(dtype: Exclude<DType, "string">, count: number): TypedArray {
  switch (dtype) {
    case "float16":
      return new (float16Memory())(count);
    case "float32":
      return new Float32Array(count);
    case "float64":
      return new Float64Array(count);
    case "int32":
      return new Int32Array(count);
    case "int64":
      return new BigInt64Array(count);
    case "uint8":
    case "bool":
      return new Uint8Array(count);
    default:
      return dtype satisfies never;
  }
}

/** The class of float16 memory, looked up when it is needed: Node 22 has none, and everything else works there. */
export function float16Memory(): Float16ArrayConstructor {
  if (typeof Float16Array !== "undefined") return Float16Array;
  throw new EspalierError(
    "TENSOR_INVALID",
    "float16 needs Float16Array, which this JavaScript engine lacks: use Node 24 or a current browser, or float32",
    {
      dtype: "float16",
    },
  );
}

/** A numeric tensor's elements as numbers; an int64 beyond 2^53 loses its low bits. */
export function toNumbers(value: Tensor): number[] {
  if (value.dtype === "string") throw new EspalierError("TENSOR_INVALID", "a string tensor has no numbers", { shape: value.shape });
  return Array.from(value.data as TypedArray, Number); // the dtype was checked above
}

function toMemory(dtype: DType, data: TypedArray | readonly (number | bigint | boolean | string)[]): TypedArray | readonly string[] {
  if (dtype === "string") {
    if (ArrayBuffer.isView(data)) throw new EspalierError("TENSOR_INVALID", "a string tensor takes an array of strings", { dtype });
    return data.map(String);
  }
  if (ArrayBuffer.isView(data)) {
    if (data.constructor !== allocate(dtype, 0).constructor) {
      throw new EspalierError("TENSOR_INVALID", `a ${dtype} tensor takes a ${allocate(dtype, 0).constructor.name}, not a ${data.constructor.name}`, {
        dtype,
      });
    }
    return data;
  }
  const memory = allocate(dtype, data.length);
  if (memory instanceof BigInt64Array) data.forEach((value, i) => (memory[i] = BigInt(value)));
  else data.forEach((value, i) => (memory[i] = Number(value)));
  return memory;
}
