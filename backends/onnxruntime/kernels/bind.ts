import { writeModule } from "../wasm/module.ts";
import type { KernelPlan, KernelTools, Share } from "./host-kernel.ts";

/** Where one thread's kernels work; plain data for another thread. */
export interface KernelPlace {
  readonly memory: WebAssembly.Memory;
  /** Where the memory is for native code. */
  readonly base: bigint;
  readonly scratch: number;
  readonly shared: number;
  readonly share: Share;
}

/** One kernel's phases in one thread. */
export type BoundKernel = (phase: number, inputs: readonly bigint[], outputs: readonly bigint[]) => void;

/** Compiles kernels to one WebAssembly module for the calling thread. @param copy memcpy */
export function bindKernels(
  plans: readonly KernelPlan[],
  { memory, base, scratch, shared, share }: KernelPlace,
  copy: (to: bigint, from: bigint, bytes: number) => void,
): readonly BoundKernel[] {
  const sources = new Map(plans.flatMap(({ functions }) => functions.map((source) => [source.name, source] as const)));
  const module = new WebAssembly.Module(writeModule([...sources.values()]));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const tools: KernelTools = {
    functions: exports as KernelTools["functions"], // one function for each source
    scratch,
    shared,
    floats: new Float32Array(memory.buffer),
    read: (to, from, { offset, bytes }) => {
      copy(base + BigInt(to), from + BigInt(offset), bytes);
      return to;
    },
    target: (at) => at,
    write: (to, from, { offset, bytes }) => copy(to + BigInt(offset), base + BigInt(from), bytes),
    share,
  };
  return plans.map(
    ({ phases }) =>
      (phase, inputs, outputs) =>
        phases[phase]?.(tools, inputs, outputs),
  );
}
