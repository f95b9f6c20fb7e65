import { EspalierError } from "../../../core/index.ts";
import type { Arena } from "../arena.ts";
import type { Computation } from "../native/custom-operators.ts";
import type { OrtLibrary } from "../native/ort-library.ts";
import { bindKernels, type BoundKernel, type KernelPlace } from "./bind.ts";
import type { KernelPlan } from "./host-kernel.ts";
import type { TeamModel } from "../team.ts";

/** A node's plan with the shapes that it makes. */
export interface KernelCall {
  readonly plan: KernelPlan;
  readonly outputs: readonly (readonly number[])[];
  /** Bytes of its inputs and outputs; estimated from the outputs by default. */
  readonly bytes?: number;
}

/** Kernels that are ready to run, and their memory. */
export interface CompiledKernels {
  readonly computations: readonly Computation[];
  /** Whether other threads must listen while the model runs. */
  readonly isHelped: boolean;
  /** Frees their memory, which all of them share. */
  release(): void;
}

/** What kernels are compiled for. */
export interface KernelHost {
  readonly arena: Arena;
  readonly library: OrtLibrary;
  /** Threads that help, with the model's kernels loaded into them. */
  readonly help?: { readonly threads: number; readonly leastBytes: number; readonly load: (places: readonly KernelPlace[]) => Promise<TeamModel> };
}

/**
 * Compiles a model's kernels to one WebAssembly module over the arena.
 *
 * @returns undefined when the arena has no room for their memory
 * @throws INTERNAL when a kernel would not write just what its outputs hold
 */
export async function compileKernels(calls: readonly KernelCall[], { arena, library, help }: KernelHost): Promise<CompiledKernels | undefined> {
  for (const call of calls) checkWrites(call);
  if (calls.length === 0) return { computations: [], isHelped: false, release: () => undefined };
  const most = (sizes: readonly number[]): number => Math.ceil(Math.max(...sizes) / 64) * 64;
  const [scratchBytes, sharedBytes] = [most(calls.map(({ plan }) => plan.scratchBytes)), most(calls.map(({ plan }) => plan.sharedBytes ?? 0))];
  const large = calls.map(({ bytes, outputs }) => help !== undefined && (bytes ?? 2 * bytesOf(outputs)) >= help.leastBytes);
  const threads = help !== undefined && large.includes(true) ? help.threads : 1;
  const floats = arena.allocate("float32", [(scratchBytes * threads + sharedBytes) / 4 + 16]);
  const begin = floats && arena.offsetOf(floats);
  if (floats === undefined || begin === undefined) return undefined;
  const base = library.addressOf(floats) - BigInt(begin);
  const place = (scratch: number, share: KernelPlace["share"]): KernelPlace => {
    return { memory: arena.memory, base, scratch, shared: begin + scratchBytes * threads, share };
  };
  const plans = calls.map(({ plan }) => plan);
  const places = Array.from({ length: threads }, (_, index) => place(begin + index * scratchBytes, { index, count: threads }));
  const [first, ...others] = places;
  try {
    const alone = bindKernels(plans, place(begin, { index: 0, count: 1 }), library.copy);
    const team = others.length > 0 ? await help?.load(others) : undefined;
    const together = first !== undefined && team !== undefined ? bindKernels(plans, first, library.copy) : [];
    return {
      computations: calls.map(({ plan, outputs }, call): Computation => {
        const compute = team !== undefined && large[call] === true ? shared(call, together[call], team) : alone[call];
        return {
          outputs,
          compute: (inputs, results) => {
            for (let phase = 0; phase < plan.phases.length; phase += 1) compute?.(phase, inputs, results);
          },
        };
      }),
      isHelped: team !== undefined,
      release: () => {
        team?.release();
        arena.free(floats);
      },
    };
  } catch (error) {
    arena.free(floats);
    throw error;
  }
}

/** Refuses a kernel that would write past its outputs, or leave a part of them as it was. */
function checkWrites({ plan, outputs }: KernelCall): void {
  const sizes = outputs.map((shape) => shape.reduce((a, b) => a * b, 1));
  if (sizes.join() === plan.writes.join()) return;
  const names = plan.functions.map(({ name }) => name);
  throw new EspalierError(
    "INTERNAL",
    `a kernel (${names.join("; ")}) writes ${plan.writes.join(" and ")} numbers to outputs of ${outputs.map((shape) => `[${shape.join(", ")}]`).join(" and ")}`,
    { functions: names, writes: plan.writes, outputs },
  );
}

function shared(call: number, own: BoundKernel | undefined, team: TeamModel): BoundKernel {
  return (phase, inputs, outputs) => team.run({ call, phase, inputs, outputs }, () => own?.(phase, inputs, outputs));
}

function bytesOf(shapes: readonly (readonly number[])[]): number {
  return shapes.reduce((sum, shape) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
}
