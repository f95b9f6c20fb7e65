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
