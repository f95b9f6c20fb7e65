import { allocate, EspalierError, type Attributes, type DType, type Node, type Tensor, type TypedArray, type ValueType } from "../../core/index.ts";

/** Element types that kernels compute with. */
export type NumericDType = Exclude<DType, "string">;

/** A tensor of numbers. Kernels treat its memory as read-only: a Reshape shares it. */
export interface NumericTensor extends Tensor {
  readonly dtype: NumericDType;
  readonly data: TypedArray;
}

/** Memory that arithmetic reads and writes; int64 is computed as doubles. */
export type Numbers = Float16Array | Float32Array | Float64Array | Int32Array | Uint8Array;

/** What a kernel knows while the graph is compiled. */
export interface KernelContext {
  readonly node: Node;
  readonly attributes: Attributes;
  readonly inputTypes: readonly (ValueType | undefined)[];
  readonly outputTypes: readonly ValueType[];
  /** Throws BACKEND_RUN_FAILED with the node's name before the message. */
  readonly fail: (message: string) => never;
}

/** Runs one node: tensors in, one tensor for each output the node names. */
export type Kernel = (inputs: readonly (NumericTensor | undefined)[]) => readonly NumericTensor[];

/** Reads a node's attributes once and returns what runs it. */
export type KernelFactory = (context: KernelContext) => Kernel;

/** A required input. */
export function required(inputs: readonly (NumericTensor | undefined)[], index: number): NumericTensor {
  const input = inputs[index];
  if (input === undefined) throw new EspalierError("INTERNAL", `a kernel was given no input ${index}`, { index });
  return input;
}

/** A tensor's elements for arithmetic. @throws BACKEND_RUN_FAILED for an int64 that a double cannot hold */
export function numbersOf(tensor: NumericTensor): Numbers {
  if (!(tensor.data instanceof BigInt64Array)) return tensor.data;
  return Float64Array.from(tensor.data, (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new EspalierError("BACKEND_RUN_FAILED", `the reference backend computes int64 up to 2^53, not ${value}`, { value: String(value) });
  });
}

/** Zeroed memory to compute a result of a dtype in. */
export function memoryFor(dtype: NumericDType, count: number): Numbers {
  return dtype === "int64" ? new Float64Array(count) : (allocate(dtype, count) as Numbers); // only int64 has other memory
}

/** Computed elements as a tensor: rounded to the dtype, without a copy where the memory is the dtype's already. */
export function tensorOf(dtype: NumericDType, shape: readonly number[], numbers: Numbers): NumericTensor {
  const memory = allocate(dtype, 0);
  if (memory.constructor === numbers.constructor) return { dtype, shape, data: numbers };
  if (memory instanceof BigInt64Array) return { dtype, shape, data: BigInt64Array.from(numbers, toBigInt) };
  const data = allocate(dtype, numbers.length) as Numbers; // int64 was handled above
  data.set(numbers);
  return { dtype, shape, data };
}

/** The elements of a tensor of sizes, axes, starts or pads. */
export function intsOf(tensor: NumericTensor): readonly number[] {
  return Array.from(numbersOf(tensor));
}

/** The only element of a scalar, or of a tensor of one element. */
export function scalarOf(tensor: NumericTensor): number {
  return numbersOf(tensor)[0] ?? Number.NaN;
}

/** An axis counted from the front. */
export function positiveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Cut towards zero; what has no whole number (NaN, infinities) becomes 0, as when a typed array of int32 is written. */
function toBigInt(value: number): bigint {
  return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : 0n;
}
