import { EspalierError } from "../../../core/index.ts";
import { Assembler } from "../machine/assembler.ts";
import type { MachineMemory } from "../machine/machine-memory.ts";
import type { Koffi } from "./koffi.ts";
import type { OrtApi } from "./ort-api.ts";

/** What one node of the domain `espalier.kernels` computes: tensors of any type to float32 tensors in ONNX Runtime's memory, by their addresses. */
export interface Computation {
  readonly outputs: readonly (readonly number[])[];
  compute(inputs: readonly bigint[], outputs: readonly bigint[]): void;
}

/** The operator: any number of inputs, and of float32 outputs; the attribute `kernel` says which computation of its session's. */
export const customOperator = { domain: "espalier.kernels", operator: "Kernel" } as const;

/** A product of matrices as machine code, whose first two inputs are the matrices; the attribute `product` says which of its session's. */
export const productOperator = { domain: "espalier.kernels", operator: "Product" } as const;

/** The versions of `OrtCustomOp` that are filled in: with variadic parameters (14), and with a kernel function that returns a status (16). */
const structVersion = 15;
const statusVersion = 16;
const variadic = 2; // INPUT_OUTPUT_VARIADIC
const [anyType, float] = [0, 1]; // ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED and _FLOAT

/** What the operators of a session that is created are. */
export interface Creating {
  /** By the attribute `kernel`. */
  readonly computations: readonly Computation[];
  /** By the attribute `product`, what `CreateKernel` returns. */
  readonly products: readonly bigint[];
}

/** What operators are made with. */
export interface CustomOperatorsHost {
  readonly api: OrtApi;
  /** Throws what a status tells. */
  readonly check: (status: unknown) => void;
}

/** Fields of later versions, which are not looked at. */
const laterFields = 16;

/** The functions of all products: `compute` is the one whose address is where the kernel points to, `destroy` does nothing. */
function writeTrampolines(memory: MachineMemory): { readonly compute: bigint; readonly destroy: bigint } {
  const code = new Assembler();
  code.load("rax", { base: "rdi" });
  code.jumpAt("rax");
  const destroy = code.length;
  code.return();
  const block = memory.reserve(code.length);
  try {
    memory.write(block, code.code());
    memory.protect(block);
  } catch (error) {
    block.release();
    throw error;
  }
  return { compute: block.address, destroy: block.address + BigInt(destroy) };
}

/**
 * Computations of our own inside ONNX Runtime's models: it calls back in the thread that runs the session.
 *
 * A computation must not throw through ONNX Runtime: its failure is kept until the run has returned.
 * @see https://onnxruntime.ai/docs/reference/operators/add-custom-op.html
 */
export class CustomOperators {
  readonly domain: bigint;
  readonly #koffi: Koffi;
  readonly #api: OrtApi;
  readonly #check: (status: unknown) => void;
  /** By the number that stands for a kernel's pointer; from 1, because a null pointer is none. */
  readonly #kernels = new Map<number, Computation>();
  #count = 0;
  #creating: Creating = { computations: [], products: [] };
  #failure: unknown;
  /** The `OrtCustomOp` of kernels. */
  readonly #struct: BigInt64Array;
  #hasProducts = false;
  /** Memory that ONNX Runtime holds pointers to. */
  readonly kept: object[] = [];

  constructor(koffi: Koffi, { api, check }: CustomOperatorsHost) {
    this.#koffi = koffi;
    this.#api = api;
    this.#check = check;
    const callback = (prototype: string, work: (...args: readonly never[]) => unknown): bigint => this.#callback(prototype, work);
    const whole = (value: number): bigint => callback("size_t (void*)", () => value);
    const ofIndex = (value: number): bigint => callback("int (void*, size_t)", () => value);
    this.#struct = BigInt64Array.from([
      BigInt(structVersion),
      callback("void* (void*, void*, void*)", (_operator: never, _api: never, info: never) => this.#create(info)),
      this.#name(customOperator.operator),
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
      0n, // CreateKernelV2
      0n, // KernelComputeV2
      ...Array.from({ length: laterFields }, () => 0n),
    ]);
    this.domain = this.#made((out) => api.createCustomOpDomain(customOperator.domain, out));
    this.#add(this.#struct);
  }

  /**
   * Adds the operator of products, once: for the sessions that are created afterwards.
   *
   * @param memory where machine code can run
   * @throws Error where there is none
   */
  addProducts(memory: MachineMemory | undefined): void {
    if (this.#hasProducts) return;
    if (memory === undefined) throw new Error("this machine does not run machine code");
    const { compute, destroy } = writeTrampolines(memory);
    const struct = this.#struct.slice();
    struct[0] = BigInt(statusVersion);
    struct[1] = this.#callback("void* (void*, void*, void*)", (_operator: never, _api: never, info: never) => this.#createProduct(info));
    struct[2] = this.#name(productOperator.operator);
    struct[9] = destroy;
    struct[18] = compute;
    this.#add(struct);
    this.#hasProducts = true;
  }

  #add(struct: BigInt64Array): void {
    this.kept.push(struct);
    this.#check(this.#api.addCustomOp(this.domain, this.#koffi.address(struct)));
  }

  #callback(prototype: string, work: (...args: readonly never[]) => unknown): bigint {
    return this.#koffi.register(work, this.#koffi.pointer(this.#koffi.proto(prototype)));
  }

  /** A function that returns an operator's name, in memory that is not on V8's heap. */
  #name(operator: string): bigint {
    const name = new TextEncoder().encode(`${operator}\0`.padEnd(128, "\0"));
    this.kept.push(name);
    return this.#callback("void* (void*)", () => this.#koffi.address(name));
  }

  /** Creates a session whose nodes are these computations. */
  during<T>(creating: Creating, create: () => T): T {
    this.#creating = creating;
    try {
      return create();
    } finally {
      this.#creating = { computations: [], products: [] };
    }
  }

  /** Throws what a computation failed with since the last call. */
  rethrow(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #createProduct(info: bigint): bigint | null {
    return this.#creating.products[this.#attribute(info, "product")] ?? null;
  }

  #attribute(info: bigint, name: string): number {
    const value: [number | null] = [null];
    this.#check(this.#api.kernelAttribute(info, name, value));
    return Number(value[0]);
  }

  #create(info: bigint): bigint | null {
    const computation = this.#creating.computations[this.#attribute(info, "kernel")];
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
