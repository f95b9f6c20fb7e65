import type { FunctionSource } from "../wasm/module.ts";
import type { OptimizerKernel } from "./optimizer.ts";

/**
 * An optimizer as a WebAssembly function: (bytes, parameter, gradient, slots..., constants...), addresses and then floats.
 *
 * `bytes` counts from each address and is a multiple of 16: blocks of an arena end at such, so the last vector may reach past a tensor's end.
 */
export function optimizerFunction(operator: string, kernel: OptimizerKernel): FunctionSource {
  const arrays = 2 + kernel.slots;
  return {
    name: operator,
    parameters: ["i32", ...Array.from({ length: arrays }, () => "i32" as const), ...kernel.constants.map(() => "f32" as const)],
    build(code) {
      const addresses = Array.from({ length: arrays }, (_, i) => code.parameter(1 + i));
      const constants = new Map(kernel.constants.map((name, i) => [name, code.splat(code.parameter(1 + arrays + i))]));
      code.loop({ end: code.parameter(0), step: 16 }, (index) => {
        const places = addresses.map((address) => code.int("add", address, index));
        const [parameter, gradient, ...old] = places.map((place) => code.load(place));
        if (parameter === undefined || gradient === undefined) return; // there are at least these two
        const result = kernel.emit(code, { parameter, gradient, slots: old }, (name) => {
          const constant = constants.get(name);
          if (constant === undefined) throw new TypeError(`${operator} has no constant "${name}"`);
          return constant;
        });
        const [place, , ...slotPlaces] = places;
        if (place !== undefined) code.store(place, 0, result.parameter);
        for (const [i, value] of result.slots.entries()) {
          const slotPlace = slotPlaces[i];
          if (slotPlace !== undefined) code.store(slotPlace, 0, value);
        }
      });
    },
  };
}
