import type { Arena } from "../arena.ts";
import { fusedOptimizers, optimizerFunction, type FloatArray, type FusedOptimizer, type OptimizerSetting } from "../optimizers/index.ts";
import { writeModule } from "../wasm/module.ts";

type WasmFunction = (...args: readonly number[]) => void;

/** WebAssembly kernels over an arena's memory. */
export class OptimizerKernels {
  readonly #arena: Arena;
  readonly #functions: Readonly<Record<string, WasmFunction>>;

  constructor(arena: Arena) {
    this.#arena = arena;
    const functions = fusedOptimizers.flatMap(({ operator, kernel }) => (kernel ? [optimizerFunction(operator, kernel)] : []));
    const module = new WebAssembly.Module(writeModule(functions));
    const instance = new WebAssembly.Instance(module, { env: { memory: arena.memory } });
    this.#functions = instance.exports as Readonly<Record<string, WasmFunction>>; // one function for each optimizer
  }

  /**
   * One parameter's update.
   *
   * @param arrays parameter, gradient and slots, of one length
   * @returns false, with nothing done, when one of them is not float32 in the arena, or the optimizer has no kernel for so many slots
   */
  optimize({ operator, kernel }: FusedOptimizer, arrays: readonly FloatArray[], setting: OptimizerSetting): boolean {
    const addresses = arrays.map((array) => (array instanceof Float32Array ? this.#arena.offsetOf(array) : undefined));
    const length = arrays[0]?.length ?? 0;
    if (kernel === undefined || arrays.length !== kernel.slots + 2) return false;
    if (!addresses.every((address) => address !== undefined)) return false;
    if (length === 0) return true;
    const values = kernel.values(setting);
    this.#functions[operator]?.(Math.ceil(length / 4) * 16, ...addresses, ...kernel.constants.map((name) => values[name] ?? Number.NaN));
    return true;
  }
}
