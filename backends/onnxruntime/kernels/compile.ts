import type { Arena } from "../arena.ts";
import type { Computation } from "../native/custom-operators.ts";
import type { OrtLibrary } from "../native/ort-library.ts";
import { writeModule } from "../wasm/module.ts";
import type { KernelPlan, KernelTools } from "./host-kernel.ts";

/** A node's plan with the shapes that it makes. */
export interface KernelCall {
  readonly plan: KernelPlan;
  readonly outputs: readonly (readonly number[])[];
}

/** Kernels that are ready to run, and their memory. */
export interface CompiledKernels {
  readonly computations: readonly Computation[];
  /** Frees their memory, which all of them share. */
  release(): void;
}

/**
 * Compiles a model's kernels to one WebAssembly module over the arena.
 *
 * @returns undefined when the arena has no room for their memory
 */
export function compileKernels(calls: readonly KernelCall[], arena: Arena, library: OrtLibrary): CompiledKernels | undefined {
  if (calls.length === 0) return { computations: [], release: () => undefined };
  const most = (sizes: readonly number[]): number => Math.ceil(Math.max(...sizes) / 64) * 64;
  const [scratchBytes, sharedBytes] = [most(calls.map(({ plan }) => plan.scratchBytes)), most(calls.map(({ plan }) => plan.sharedBytes ?? 0))];
  const memory = arena.allocate("float32", [(scratchBytes + sharedBytes) / 4 + 16]);
  const scratch = memory && arena.offsetOf(memory);
  if (memory === undefined || scratch === undefined) return undefined;
  const sources = new Map(calls.flatMap(({ plan }) => plan.functions.map((source) => [source.name, source] as const)));
  const module = new WebAssembly.Module(writeModule([...sources.values()]));
  const { exports } = new WebAssembly.Instance(module, { env: { memory: arena.memory } });
  const base = library.addressOf(memory) - BigInt(scratch);
  const tools: KernelTools = {
    functions: exports as KernelTools["functions"], // one function for each source
    scratch,
    shared: scratch + scratchBytes,
    floats: new Float32Array(arena.memory.buffer),
    read: (to, from, { offset, bytes }) => {
      library.copy(base + BigInt(to), from + BigInt(offset), bytes);
      return to;
    },
    target: (at) => at,
    write: (to, from, { offset, bytes }) => library.copy(to + BigInt(offset), base + BigInt(from), bytes),
    share: { index: 0, count: 1 },
  };
  const computations = calls.map(({ plan, outputs }) => ({
    outputs,
    compute: (inputs: readonly bigint[], results: readonly bigint[]): void => {
      for (const phase of plan.phases) phase(tools, inputs, results);
    },
  }));
  return { computations, release: () => arena.free(memory) };
}
