import { expect, test } from "vitest";
import { importKoffi, type Koffi } from "../native/koffi.ts";
import { openMachineMemory } from "./machine-memory.ts";

const koffi = await importKoffi().catch(() => undefined);
const memory = koffi && openMachineMemory(koffi);
/** On other machines there is none to test. */
const none = memory === undefined;

/** koffi with functions of the C library that do something else. */
function koffiWith(library: Koffi, functions: Readonly<Record<string, () => unknown>>): Koffi {
  return {
    ...library,
    load: (path) => {
      const loaded = library.load(path);
      return { func: (prototype) => Object.entries(functions).find(([name]) => prototype.includes(` ${name}(`))?.[1] ?? loaded.func(prototype) };
    },
  };
}

test.skipIf(none)("memory is whole pages, and more than the system has is refused with what to do", () => {
  const block = memory?.reserve(4097);
  expect(block?.bytes).toBe(8192);
  expect(block && block.address % 4096n).toBe(0n);
  block?.release();
  expect(() => memory?.reserve(2 ** 47)).toThrow("machineCode: false");
});

test.skipIf(none)("where the system forbids executable memory, or has another C library, there is none and no failure", () => {
  if (koffi === undefined) throw new Error("skipped");
  let released = 0;
  const forbidding = koffiWith(koffi, { mprotect: () => -1, munmap: () => (released += 1) });
  expect(openMachineMemory(forbidding)).toBeUndefined();
  expect(released).toBe(1);
  const without: Koffi = {
    ...koffi,
    load: () => {
      throw new Error("libc.so.6: cannot open shared object file");
    },
  };
  expect(openMachineMemory(without)).toBeUndefined();
});

test.skipIf(none)("where the processor has no AVX-512, or nothing tells of it, there is none", () => {
  if (koffi === undefined) throw new Error("skipped");
  const flags = (names: string): string => `processor\t: 0\nmodel name\t: avx512f\nflags\t\t: fpu sse2 ${names} avx512cd\nbugs\t\t:\n`;
  expect(openMachineMemory(koffi, () => flags("avx2 avx512f"))).toBeDefined();
  expect(openMachineMemory(koffi, () => flags("avx2 avx512fp16"))).toBeUndefined();
  const unmounted = (): string => {
    throw new Error("ENOENT: no such file or directory, open '/proc/cpuinfo'");
  };
  expect(openMachineMemory(koffi, unmounted)).toBeUndefined();
});
