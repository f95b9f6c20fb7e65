import { availableParallelism } from "node:os";
import { Arena } from "./arena.ts";
import type { MachineHost } from "./machine/compile.ts";
import { mostShares } from "./kernels/host-kernel.ts";
import { PlanCache } from "./plan-cache.ts";
import { KernelTeam } from "./team.ts";
import { OptimizerKernels } from "./kernels/optimizer-kernels.ts";
import { loadOrtLibrary } from "./native/ort-library.ts";
import type { ProgramHost } from "./program.ts";
import { loadRuntime } from "./runtime.ts";
import type { SessionSettings } from "./session-settings.ts";
import { arenaMemory, plainMemory } from "./state-memory.ts";

/** What an engine is opened with. */
export interface HostSettings extends SessionSettings {
  readonly binding: "auto" | "onnxruntime-node";
  /** See `OnnxRuntimeOptions`. */
  readonly leastSharedBytes?: number;
  /** See `OnnxRuntimeOptions`. */
  readonly machineCode?: boolean;
}

/**
 * Loads what programs run on.
 *
 * @throws BACKEND_UNAVAILABLE when onnxruntime-node is not installed or does not load
 */
export async function openHost({ binding, leastSharedBytes, machineCode = true, ...settings }: HostSettings): Promise<ProgramHost> {
  const library = binding === "auto" ? await loadOrtLibrary() : undefined;
  if (library === undefined) {
    const runtime = await loadRuntime();
    return { runtime: () => Promise.resolve(runtime), settings, memory: plainMemory, plans: new PlanCache() };
  }
  const arena = new Arena();
  const threads = Math.min(settings.threads === 0 ? availableParallelism() : settings.threads, mostShares);
  const team = threads > 1 ? new KernelTeam(threads, arena, leastSharedBytes) : undefined;
  const machine = (): MachineHost | undefined => {
    const found = machineCode ? library.machine() : undefined;
    return found && { ...found, threads };
  };
  const native = { library, arena, optimizers: new OptimizerKernels(arena, team), machine, ...(team && { team }) };
  return { runtime: loadRuntime, settings, memory: arenaMemory(arena), plans: new PlanCache(), native };
}
