/** A function that calls into a library. */
type Call = (...args: readonly unknown[]) => unknown;

/** A loaded library. */
export interface KoffiLibrary {
  func(prototype: string): Call;
}

/** The part of koffi that is used: pointers are bigints, null pointers null. */
export interface Koffi {
  load(path: string): KoffiLibrary;
  proto(prototype: string): object;
  sizeof(type: string): number;
  decode(pointer: unknown, offset: number, type: string): unknown;
  call(pointer: unknown, type: object, ...args: readonly unknown[]): unknown;
  address(value: unknown): bigint;
  pointer(type: object): object;
  /** A function that native code calls; only during a call into a library, in the same thread. */
  register(callback: (...args: readonly never[]) => unknown, type: object): bigint;
}

/**
 * Imports koffi, which is optional.
 *
 * By a name that compilers do not follow: they must not need a package that need not be there.
 * @throws what import throws
 */
export async function importKoffi(): Promise<Koffi> {
  const name = "koffi" as string; // not a literal
  return (await import(name)) as Koffi; // the version in peerDependencies
}
