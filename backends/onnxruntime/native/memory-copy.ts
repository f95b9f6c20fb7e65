import type { Koffi } from "./koffi.ts";

/** The C library's memcpy. */
export function findCopy(koffi: Koffi): (to: bigint, from: bigint, bytes: number) => void {
  const library = koffi.load({ win32: "msvcrt.dll", darwin: "libSystem.B.dylib" }[process.platform as string] ?? "libc.so.6"); // any platform may be asked for
  const memcpy = library.func("void* memcpy(void*, void*, size_t)");
  return (to, from, bytes) => void memcpy(to, from, bytes);
}
