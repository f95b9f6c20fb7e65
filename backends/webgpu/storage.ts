import { elementCount, type DType, type Tensor, type ValueName } from "../../core/index.ts";

/** How an element lies in device memory: always four bytes. int64 is kept as i32, bool and uint8 as u32, float16 as f32. */
export type Scalar = "f32" | "i32" | "u32";

/** Bytes of every element on the device. */
export const elementBytes = 4;

/** Where a storage's memory comes from. */
export type StorageKind =
  /** The plan's arena: lives from its first to its last dispatch only. */
  | { readonly kind: "temporary" }
  /** Written by the host before every run. */
  | { readonly kind: "feed"; readonly input: ValueName }
  /** One number apart from the arena, so that kernels may bind the arena whole beside it; what `compute` gives is written before every run. */
  | { readonly kind: "scalar"; readonly compute: ((feed: (input: ValueName) => Tensor) => number) | undefined }
  /** Persistent memory of the executable's state. */
  | { readonly kind: "state"; readonly state: ValueName }
  /** Uploaded once. */
  | { readonly kind: "constant"; readonly data: ArrayBufferView<ArrayBuffer> }
  /** The plan's run counter and fault words, read back with every run. */
  | { readonly kind: "status" };

/** A piece of device memory that kernels bind. Identity matters: two views of one storage share its bytes. */
export interface Storage {
  readonly scalar: Scalar;
  readonly elements: number;
  readonly source: StorageKind;
}

/** A graph value on the device: a storage read in a shape. */
export interface View {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly storage: Storage;
  /** The contents, when they are known while planning. */
  readonly constant?: Tensor;
}

/** The device type of an element type; undefined for those that a GPU does not compute with. */
export function scalarOf(dtype: DType): Scalar | undefined {
  switch (dtype) {
    case "float32":
    case "float16":
      return "f32";
    case "int32":
    case "int64":
      return "i32";
    case "bool":
    case "uint8":
      return "u32";
    case "float64":
    case "string":
      return undefined;
    default:
      return dtype satisfies never;
  }
}

/** The number of elements of a view. */
export function sizeOf(view: View): number {
  return elementCount(view.shape);
}
