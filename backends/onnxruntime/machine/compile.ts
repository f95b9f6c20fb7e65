import { Assembler, type Register } from "./assembler.ts";
import type { MachineBlock, MachineMemory } from "./machine-memory.ts";
import { productCode, productScratchBytes, type Product } from "./product.ts";
import { partOf, sharesOf } from "./share.ts";

/** A node that a product computes. */
export interface ProductCall {
  readonly product: Product;
  /** The shape that it makes. */
  readonly shape: readonly number[];
}

/** Functions of ONNX Runtime's C API that code calls, by their addresses. */
export interface MachineApi {
  readonly kernelInput: bigint;
  readonly kernelOutput: bigint;
  readonly getTensorMutableData: bigint;
  readonly kernelParallelFor: bigint;
}

/** Products as ONNX Runtime calls them. */
export interface CompiledProducts {
  /** Of each product, what `CreateKernel` returns: the address of a place that holds the address of its function. */
  readonly kernels: readonly bigint[];
  release(): void;
}

/** A model without any. */
export const noProducts: CompiledProducts = { kernels: [], release: () => undefined };

/** What products are compiled with. */
export interface MachineHost {
  readonly memory: MachineMemory;
  readonly api: MachineApi;
  readonly threads: number;
}

/** More than the code around one product takes, for each thread. */
const entryBytes = 1024;
const alignment = 64;

/**
 * Writes a model's products to memory, as functions `OrtStatus* (void* kernel, OrtKernelContext* context)`.
 *
 * They run in whatever thread ONNX Runtime calls them from, and share their work among its threads: no JavaScript is involved. Each thread has scratch memory
 * of its own, which all of the model's products use: only one of them runs at a time.
 * @param machine asked where there are products
 * @throws Error where the system gives no executable memory, or a distance does not fit the code
 */
export function compileProducts(calls: readonly ProductCall[], machine: () => MachineHost | undefined): CompiledProducts {
  if (calls.length === 0) return noProducts;
  const host = machine();
  if (host === undefined) throw new Error("this machine does not run the products that were planned");
  const { memory, api, threads } = host;
  const pieces = new Map<string, Uint8Array>();
  const plans = calls.map(({ product, shape }) => {
    const count = sharesOf(product, threads);
    const parts = Array.from({ length: count }, (_, index) => {
      const part = partOf(product, { index, count });
      const key = JSON.stringify(part.product);
      pieces.set(key, pieces.get(key) ?? productCode(part.product));
      return { ...part, key };
    });
    return { product, shape, parts };
  });
  const scratchBytes = Math.max(...plans.flatMap(({ parts }) => parts.map(({ product }) => productScratchBytes(product))));
  const scratchStep = Math.ceil(scratchBytes / alignment) * alignment;
  const room = [...pieces.values()].reduce((sum, { length }) => sum + length + alignment, 0);
  const entries = plans.reduce((sum, { parts, shape }) => sum + (parts.length + 1) * entryBytes + 8 * shape.length, 0);
  const blocks: MachineBlock[] = [];
  const release = (): void => {
    for (const block of blocks) block.release();
  };
  const reserve = (bytes: number): MachineBlock => {
    const block = memory.reserve(bytes);
    blocks.push(block);
    return block;
  };
  try {
    const scratch = reserve(scratchStep * threads).address;
    const code = reserve(room + entries);
    const writer = new Assembler();
    const here = (): bigint => {
      writer.data(new Uint8Array(-writer.length & (alignment - 1)));
      return code.address + BigInt(writer.length);
    };
    const addresses = new Map<string, bigint>();
    for (const [key, piece] of pieces) {
      addresses.set(key, here());
      writer.data(piece);
    }
    const kernels = plans.map(({ product, shape, parts }) => {
      const shares = here();
      for (const [index, part] of parts.entries()) {
        writeShare(writer, {
          ...part,
          index,
          isLast: index === parts.length - 1,
          code: addresses.get(part.key) ?? 0n,
          scratch: scratch + BigInt(scratchStep * index),
        });
      }
      const sizes = here();
      writer.data(new Uint8Array(BigInt64Array.from(shape, BigInt).buffer));
      const entry = here();
      writeEntry(writer, { api, inputs: product.third === "none" ? 2 : 3, sizes, rank: shape.length, shares, count: parts.length });
      const kernel = here();
      writer.data(new Uint8Array(BigInt64Array.of(entry).buffer));
      return kernel;
    });
    if (writer.length > code.bytes) throw new RangeError(`machine code of ${writer.length} bytes does not fit ${code.bytes}`);
    memory.write(code, writer.code());
    memory.protect(code);
    return { kernels, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Where the entry keeps addresses of values, from the stack pointer: left, right, what is added, the result, and what a call returns. */
const slots = { inputs: [0, 8, 16], result: 24, returned: 32 } as const;
/** With the return address and one saved register a multiple of 16, as calls need it. */
const frameBytes = 48;

interface Entry {
  readonly api: MachineApi;
  readonly inputs: number;
  readonly sizes: bigint;
  readonly rank: number;
  readonly shares: bigint;
  readonly count: number;
}

/** Asks ONNX Runtime where inputs and output are, then for all shares. What fails is returned. */
function writeEntry(code: Assembler, { api, inputs, sizes, rank, shares, count }: Entry): void {
  const end = code.label();
  const [context, returned] = ["rbx", "rax"] as const;
  const call = (address: bigint): void => {
    code.setWide("rax", address);
    code.callAt("rax");
    code.jumpUnlessZero(returned, end);
  };
  const where = (slot: number): void => {
    code.load("rdi", { base: "rsp", displacement: slots.returned });
    code.addressOf("rsi", { base: "rsp", displacement: slot });
    call(api.getTensorMutableData);
  };
  code.push(context);
  code.add("rsp", -frameBytes);
  code.move(context, "rsi");
  for (let input = 0; input < inputs; input += 1) {
    code.move("rdi", context);
    code.set("rsi", input);
    code.addressOf("rdx", { base: "rsp", displacement: slots.returned });
    call(api.kernelInput);
    where(slots.inputs[input] ?? 0);
  }
  code.move("rdi", context);
  code.set("rsi", 0);
  code.setWide("rdx", sizes);
  code.set("rcx", rank);
  code.addressOf("r8", { base: "rsp", displacement: slots.returned });
  call(api.kernelOutput);
  where(slots.result);
  if (count === 1) {
    code.move("rdi", "rsp");
    code.set("rsi", 0);
    code.setWide("rax", shares);
    code.callAt("rax");
    code.set(returned, 0);
  } else {
    code.move("rdi", context);
    code.setWide("rsi", shares);
    code.set("rdx", count);
    code.set("rcx", 0);
    code.move("r8", "rsp");
    code.setWide("rax", api.kernelParallelFor);
    code.callAt("rax");
  }
  code.place(end);
  code.add("rsp", frameBytes);
  code.pop(context);
  code.return();
}

interface ShareEntry {
  readonly index: number;
  readonly isLast: boolean;
  readonly left: number;
  readonly right: number;
  readonly result: number;
  readonly third: number;
  readonly code: bigint;
  readonly scratch: bigint;
}

/** One share's part of `void (void* slots, size_t index)`: its arguments, then its product's code, which returns to the caller. */
function writeShare(writer: Assembler, { index, isLast, left, right, result, third, code, scratch }: ShareEntry): void {
  const next = writer.label();
  if (!isLast) writer.jumpUnless("rsi", index, next);
  const argument = (register: Register, slot: number, floats: number): void => {
    writer.load(register, { base: "rdi", displacement: slot });
    writer.add(register, 4 * floats);
  };
  argument("rcx", slots.inputs[2], third);
  argument("rdx", slots.result, result);
  argument("rsi", slots.inputs[1], right);
  argument("rdi", slots.inputs[0], left);
  writer.setWide("r8", scratch);
  writer.setWide("rax", code);
  writer.jumpAt("rax");
  writer.place(next);
}
