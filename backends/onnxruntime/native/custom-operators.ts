import { EspalierError } from "../../../core/index.ts";
import type { Koffi } from "./koffi.ts";
import type { OrtApi } from "./ort-api.ts";

/** What one node of the domain `espalier.kernels` computes: tensors of any type to float32 tensors in ONNX Runtime's memory, by their addresses. */
export interface Computation {
  readonly outputs: readonly (readonly number[])[];
  compute(inputs: readonly bigint[], outputs: readonly bigint[]): void;
}

/** The operator: any number of inputs, and of float32 outputs; the attribute `kernel` says which computation of its session's. */
export const customOperator = { domain: "espalier.kernels", operator: "Kernel" } as const;

/** The version of `OrtCustomOp` that is filled in: variadic parameters (14), no other kind of kernel function (16). */
const structVersion = 15;
const variadic = 2; // INPUT_OUTPUT_VARIADIC
const [anyType, float] = [0, 1]; // ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED and _FLOAT

/**
 * Computations of our own inside ONNX Runtime's models: it calls back in the thread that runs the session.
 *
 * A computation must not throw through ONNX Runtime: its failure is kept until the run has returned.
 * @see https://onnxruntime.ai/docs/reference/operators/add-custom-op.html
 */
export class CustomOperators {
  readonly domain: bigint;
  readonly #api: OrtApi;
  readonly #check: (status: unknown) => void;
  /** By the number that stands for a kernel's pointer; from 1, because a null pointer is none. */
  readonly #kernels = new Map<number, Computation>();
  #count = 0;
  #creating: readonly Computation[] = [];
  #failure: unknown;
  /** Memory that ONNX Runtime holds pointers to. */
  readonly kept: readonly object[];

  constructor(koffi: Koffi, api: OrtApi, check: (status: unknown) => void) {
    this.#api = api;
    this.#check = check;
    const name = new TextEncoder().encode(`${customOperator.operator}\0`.padEnd(128, "\0"));
    const callback = (prototype: string, work: (...args: readonly never[]) => unknown): bigint =>
      koffi.register(work, koffi.pointer(koffi.proto(prototype)));
    const whole = (value: number): bigint => callback("size_t (void*)", () => value);
    const ofIndex = (value: number): bigint => callback("int (void*, size_t)", () => value);
    const struct = BigInt64Array.from([
      BigInt(structVersion),
      callback("void* (void*, void*, void*)", (_operator: never, _api: never, info: never) => this.#create(info)),
      callback("void* (void*)", () => koffi.address(name)),
      callback("void* (void*)", () => null), // the CPU's
      ofIndex(anyType),
      whole(1),
      ofIndex(float),
      whole(1),
      callback("void (void*, void*)", (kernel: never, context: never) => this.#compute(kernel, context)),
      callback("void (void*)", (kernel: never) => void this.#kernels.delete(Number(kernel))),
      ofIndex(variadic),
      ofIndex(variadic),
      ofIndex(0), // memory of the default kind
      callback("int (void*)", () => 1), // least number of inputs
      callback("int (void*)", () => 0), // of any types
      callback("int (void*)", () => 1), // least number of outputs
      callback("int (void*)", () => 1), // of one type
    ]);
    this.kept = [name, struct];
    this.domain = this.#made((out) => api.createCustomOpDomain(customOperator.domain, out));
    check(api.addCustomOp(this.domain, koffi.address(struct)));
  }

  /** Creates a session whose nodes are these computations. */
  during<T>(computations: readonly Computation[], create: () => T): T {
    this.#creating = computations;
    try {
      return create();
    } finally {
      this.#creating = [];
    }
  }

  /** Throws what a computation failed with since the last call. */
  rethrow(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #create(info: bigint): bigint | null {
    const index: [number | null] = [null];
    this.#check(this.#api.kernelAttribute(info, "kernel", index));
    const computation = this.#creating[Number(index[0])];
    if (computation === undefined) return null; // ONNX Runtime refuses the session
    this.#count += 1;
    this.#kernels.set(this.#count, computation);
    return BigInt(this.#count);
  }

  #compute(kernel: bigint, context: bigint): void {
    if (this.#failure !== undefined) return;
    try {
      const computation = this.#kernels.get(Number(kernel));
      if (computation === undefined) throw new EspalierError("INTERNAL", "onnxruntime computes a kernel that was released", {});
      const count: [number | null] = [null];
      this.#check(this.#api.kernelInputCount(context, count));
      const inputs = Array.from({ length: Number(count[0]) }, (_, i) => this.#data((out) => this.#api.kernelInput(context, i, out)));
      const outputs = computation.outputs.map((shape, i) => {
        const sizes = BigInt64Array.from(shape, BigInt);
        return this.#data((out) => this.#api.kernelOutput(context, i, sizes, sizes.length, out));
      });
      computation.compute(inputs, outputs);
    } catch (error) {
      this.#failure = error;
    }
  }

  #data(tensor: (out: [bigint | null]) => unknown): bigint {
    const value = this.#made(tensor);
    return this.#made((out) => this.#api.getTensorMutableData(value, out));
  }

  #made(call: (out: [bigint | null]) => unknown): bigint {
    const out: [bigint | null] = [null];
    this.#check(call(out));
    if (out[0] === null) throw new EspalierError("INTERNAL", "onnxruntime's C API made nothing and told no failure", {});
    return out[0];
  }
}
