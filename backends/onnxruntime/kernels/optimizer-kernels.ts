import type { Tensor } from "../../../core/index.ts";
import type { Arena } from "../arena.ts";
import { fusedOptimizers, optimizerFunction, type FloatArray, type FusedOptimizer, type OptimizerSetting } from "../optimizers/index.ts";
import { writeModule } from "../wasm/module.ts";
import type { Share } from "./host-kernel.ts";
import type { KernelTeam } from "../team.ts";

type WasmFunction = (...args: readonly number[]) => void;

/** Optimizers with a kernel, in the order of the tables' numbers. */
const withKernel = fusedOptimizers.filter(({ kernel }) => kernel !== undefined);

/** Whether a step's parameters are worth a team's help. */
export function isWorthHelp(parameters: readonly Tensor[], { leastBytes }: KernelTeam): boolean {
  return 4 * parameters.reduce((sum, { data }) => sum + data.length, 0) >= leastBytes;
}

/** A share of a parameter is a multiple of so many bytes: a cache line. */
const grain = 64;

/**
 * Runs a share of the tasks that a table in an arena's memory names.
 *
 * The table is of float64: the optimizer's number, how many tasks there are, then for each task its bytes, addresses and constants, which are its function's arguments.
 */
export function optimizerShares(memory: WebAssembly.Memory): (table: number, share: Share) => void {
  const functions = withKernel.flatMap(({ operator, kernel }) => (kernel ? [optimizerFunction(operator, kernel)] : []));
  const module = new WebAssembly.Module(writeModule(functions));
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as Readonly<Record<string, WasmFunction>>; // one for each optimizer
  return (table, { index, count }) => {
    const [number = 0, tasks = 0] = new Float64Array(memory.buffer, table, 2);
    const { operator, kernel } = withKernel[number] ?? {};
    const compute = exports[operator ?? ""];
    if (kernel === undefined || compute === undefined) throw new RangeError(`there is no optimizer ${number}`);
    const [addresses, length] = [kernel.slots + 2, kernel.slots + 3 + kernel.constants.length];
    const values = new Float64Array(memory.buffer, table + 16, tasks * length);
    for (let task = 0; task < tasks; task += 1) {
      const [bytes = 0, ...rest] = values.subarray(task * length, (task + 1) * length);
      const grains = Math.ceil(bytes / grain);
      const [begin, end] = [Math.floor((grains * index) / count) * grain, Math.min(bytes, Math.floor((grains * (index + 1)) / count) * grain)];
      if (end > begin) compute(end - begin, ...rest.map((value, i) => (i < addresses ? value + begin : value)));
    }
  };
}

/** WebAssembly kernels over an arena's memory. */
export class OptimizerKernels {
  readonly #arena: Arena;
  readonly #team: KernelTeam | undefined;
  /** Compiled when it is first used. */
  #compute: ReturnType<typeof optimizerShares> | undefined;
  #table = new Float64Array();

  /** @param team threads that do a share of the work while they listen */
  constructor(arena: Arena, team?: KernelTeam) {
    this.#arena = arena;
    this.#team = team;
  }

  /**
   * Updates parameters.
   *
   * @param targets for each parameter itself, its gradient and its slots, of one length
   * @returns the targets with which nothing was done, because an array is not float32 in the arena or the optimizer has no kernel for so many slots
   */
  optimize(optimizer: FusedOptimizer, targets: readonly (readonly FloatArray[])[], setting: OptimizerSetting): readonly (readonly FloatArray[])[] {
    const { kernel } = optimizer;
    if (kernel === undefined) return targets;
    const values = kernel.values(setting);
    const constants = kernel.constants.map((name) => values[name] ?? Number.NaN);
    const left: (readonly FloatArray[])[] = [];
    const tasks: (readonly number[])[] = [];
    for (const arrays of targets) {
      const addresses = arrays.flatMap((array) => (array instanceof Float32Array ? (this.#arena.offsetOf(array) ?? []) : []));
      if (addresses.length === kernel.slots + 2 && arrays.length === addresses.length) tasks.push([bytesOf(arrays), ...addresses, ...constants]);
      else left.push(arrays);
    }
    if (tasks.length === 0) return left;
    const table = this.#write([withKernel.indexOf(optimizer), tasks.length, ...tasks.flat()]);
    if (table === undefined) return targets;
    const bytes = tasks.reduce((sum, [size = 0]) => sum + size, 0);
    const team = this.#team?.isListening === true && bytes >= this.#team.leastBytes ? this.#team : undefined;
    const compute = (this.#compute ??= optimizerShares(this.#arena.memory));
    if (team === undefined) compute(table, { index: 0, count: 1 });
    else team.optimize(table, () => compute(table, { index: 0, count: team.threads }));
    return left;
  }

  /** Puts a table into the arena, or returns undefined when there is no room. */
  #write(values: readonly number[]): number | undefined {
    if (values.length > this.#table.length) {
      this.#arena.free(this.#table);
      this.#table = (this.#arena.allocate("float64", [values.length]) as Float64Array<ArrayBuffer> | undefined) ?? new Float64Array(); // of that type
    }
    if (values.length > this.#table.length) return undefined;
    this.#table.set(values);
    return this.#arena.offsetOf(this.#table);
  }
}

/** Whole vectors: the last may reach past a tensor's end. */
function bytesOf(arrays: readonly FloatArray[]): number {
  return Math.ceil((arrays[0]?.length ?? 0) / 4) * 16;
}
