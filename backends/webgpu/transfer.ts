import { allocate, EspalierError, float16Memory, type DType, type Tensor } from "../../core/index.ts";

/** Memory in the form that the device keeps. */
export type DeviceArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/**
 * A tensor as the device keeps it: int64 as i32, bool and uint8 as u32, float16 as f32.
 *
 * @param what how an error calls it
 * @throws TENSOR_INVALID for an int64 outside 32 bits
 */
export function toDevice(value: Tensor, what: string): DeviceArray {
  const { data, dtype } = value;
  if (dtype === "float16") return Float32Array.from(data as Float16Array); // it has no other memory
  if (data instanceof Float32Array) return data as Float32Array<ArrayBuffer>; // shared memory is copied by writeBuffer like any other
  if (data instanceof Int32Array) return data as Int32Array<ArrayBuffer>;
  if (data instanceof BigInt64Array) return Int32Array.from(data, (element, i) => narrow(element, i, what));
  if (data instanceof Uint8Array) return dtype === "bool" ? Uint32Array.from(data, (element) => (element === 0 ? 0 : 1)) : Uint32Array.from(data);
  throw new EspalierError("TENSOR_INVALID", `${what} is ${dtype}, which the webgpu backend does not compute with`, { dtype });
}

/** A tensor from device bytes, in memory of its own. */
export function fromDevice(bytes: ArrayBuffer, { dtype, shape }: { readonly dtype: DType; readonly shape: readonly number[] }): Tensor {
  switch (dtype) {
    case "float16":
      return { dtype, shape, data: new (float16Memory())(new Float32Array(bytes)) };
    case "float32":
      return { dtype, shape, data: new Float32Array(bytes) };
    case "int32":
      return { dtype, shape, data: new Int32Array(bytes) };
    case "int64":
      return { dtype, shape, data: BigInt64Array.from(new Int32Array(bytes), BigInt) };
    case "bool":
    case "uint8":
      return { dtype, shape, data: Uint8Array.from(new Uint32Array(bytes)) };
    case "float64":
    case "string":
      throw new EspalierError("INTERNAL", `no ${dtype} is kept on a GPU`, { dtype });
    default:
      return dtype satisfies never;
  }
}

/** The device form of zeros. */
export function deviceZeros(dtype: DType, count: number): DeviceArray {
  return dtype === "float32" ? new Float32Array(count) : new Int32Array(allocate("int32", count).length);
}

function narrow(element: bigint, index: number, what: string): number {
  if (element === BigInt.asIntN(32, element)) return Number(element);
  throw new EspalierError(
    "TENSOR_INVALID",
    `${what} holds ${element} at element ${index}; the webgpu backend keeps int64 in 32 bits, up to ±2147483647`,
    {
      element: String(element),
      index,
    },
  );
}
