import { readFileSync } from "node:fs";
import type { Koffi } from "../native/koffi.ts";

/** Memory for machine code and what it works with. */
export interface MachineMemory {
  /** Memory to read and write, zeroed, at an address that is a multiple of 4096. @throws Error where the system has none */
  reserve(bytes: number): MachineBlock;
  /** Makes memory executable, and no longer writable. @throws Error where the system forbids it */
  protect(block: MachineBlock): void;
  /** Copies code to memory. */
  write(block: MachineBlock, code: Uint8Array): void;
}

/** A piece of it. */
export interface MachineBlock {
  readonly address: bigint;
  readonly bytes: number;
  release(): void;
}

const pageBytes = 4096;
const [readable, writable, executable] = [1, 2, 4]; // PROT_READ, PROT_WRITE, PROT_EXEC
const privateAnonymous = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
/** MAP_FAILED */
const failed = 2n ** 64n - 1n;

/**
 * Memory from the C library's mmap, on Linux. None is writable and executable at once.
 *
 * @param processors what the system tells of its processors; given by tests
 * @returns undefined where this machine does not run what `Assembler` writes, or the system allows no executable memory
 */
export function openMachineMemory(koffi: Koffi, processors: () => string = readProcessors): MachineMemory | undefined {
  if (!runsMachineCode(processors)) return undefined;
  try {
    const memory = mappedMemory(koffi);
    const block = memory.reserve(1);
    try {
      memory.protect(block);
    } finally {
      block.release();
    }
    return memory;
  } catch {
    return undefined; // as some hardened systems forbid it, or have another C library
  }
}

function mappedMemory(koffi: Koffi): MachineMemory {
  const library = koffi.load("libc.so.6");
  const reserve = library.func("void* mmap(void*, size_t, int, int, int, int64_t)");
  const unmap = library.func("int munmap(void*, size_t)");
  const change = library.func("int mprotect(void*, size_t, int)");
  const copy = library.func("void* memcpy(void*, void*, size_t)");
  return {
    reserve(wanted) {
      const bytes = Math.max(1, Math.ceil(wanted / pageBytes)) * pageBytes;
      const address = reserve(null, bytes, readable | writable, privateAnonymous, -1, 0);
      if (typeof address !== "bigint" || address === failed)
        throw new Error(`mmap gives no ${bytes} bytes for machine code; openOnnxRuntime({ machineCode: false }) does without`);
      return { address, bytes, release: () => void unmap(address, bytes) };
    },
    protect({ address, bytes }) {
      if (change(address, bytes, readable | executable) !== 0)
        throw new Error("mprotect refuses executable memory; openOnnxRuntime({ machineCode: false }) does without");
    },
    write: ({ address }, code) => void copy(address, code, code.byteLength),
  };
}

/** Linux's kernel on x86-64 lists what processor and system support. */
function runsMachineCode(processors: () => string): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  try {
    return /^flags\s*:.*\bavx512f\b/m.test(processors());
  } catch {
    return false; // not mounted
  }
}

function readProcessors(): string {
  return readFileSync("/proc/cpuinfo", "utf8");
}
