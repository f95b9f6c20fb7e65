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
  /** Frees the scratch memory, which all of them share. */
  release(): void;
}

/**
 * Compiles a model's kernels to one WebAssembly module over the arena.
 *
 * @returns undefined when the arena has no room for their scratch memory
 */
export function compileKernels(calls: readonly KernelCall[], arena: Arena, library: OrtLibrary): CompiledKernels | undefined {
  if (calls.length === 0) return { computations: [], release: () => undefined };
  const scratchBytes = Math.max(...calls.map(({ plan }) => plan.scratchBytes));
  const floats = arena.allocate("float32", [Math.ceil(scratchBytes / 4) + 16]);
  const scratch = floats && arena.offsetOf(floats);
  if (!(floats instanceof Float32Array) || scratch === undefined) return undefined;
  const sources = new Map(calls.flatMap(({ plan }) => plan.functions.map((source) => [source.name, source] as const)));
  const module = new WebAssembly.Module(writeModule([...sources.values()]));
  const { exports } = new WebAssembly.Instance(module, { env: { memory: arena.memory } });
  const base = library.addressOf(floats) - BigInt(scratch);
  const tools: KernelTools = {
    functions: exports as KernelTools["functions"], // one function for each source
    scratch,
    floats,
    read: (to, from, { offset, bytes }) => library.copy(base + BigInt(to), from + BigInt(offset), bytes),
    write: (to, from, { offset, bytes }) => library.copy(to + BigInt(offset), base + BigInt(from), bytes),
  };
  const computations = calls.map(({ plan, outputs }) => ({
    outputs,
    compute: (inputs: readonly bigint[], results: readonly bigint[]): void => plan.compute(tools, inputs, results),
  }));
  return { computations, release: () => arena.free(floats) };
}
