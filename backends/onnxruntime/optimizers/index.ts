import { fusedAdam } from "./adam.ts";
import { fusedMomentum } from "./momentum.ts";
import type { FusedOptimizer } from "./optimizer.ts";

/** Optimizers that run as fused loops over host memory. Adding one is one file and one line here. */
export const fusedOptimizers: readonly FusedOptimizer[] = [fusedAdam, fusedMomentum];

export { isFloatArray, type FloatArray, type FusedOptimizer, type ParameterUpdate } from "./optimizer.ts";
