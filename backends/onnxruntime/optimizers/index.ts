import { fusedAdadelta } from "./adadelta.ts";
import { fusedAdagrad } from "./adagrad.ts";
import { fusedAdam } from "./adam.ts";
import { fusedAdamW } from "./adam-w.ts";
import { fusedAdamax } from "./adamax.ts";
import { fusedFtrl } from "./ftrl.ts";
import { fusedLion } from "./lion.ts";
import { fusedMomentum } from "./momentum.ts";
import { fusedMovingAverage } from "./moving-average.ts";
import { fusedNadam } from "./nadam.ts";
import type { FusedOptimizer } from "./optimizer.ts";
import { fusedRmsProp } from "./rms-prop.ts";

/** Optimizers that run as fused loops over host memory. Adding one is one file and one line here. */
export const fusedOptimizers: readonly FusedOptimizer[] = [
  fusedAdadelta,
  fusedAdagrad,
  fusedAdam,
  fusedAdamW,
  fusedAdamax,
  fusedFtrl,
  fusedLion,
  fusedMomentum,
  fusedMovingAverage,
  fusedNadam,
  fusedRmsProp,
];

export { optimizerFunction } from "./kernel.ts";
export { isFloatArray, type FloatArray, type FusedOptimizer, type OptimizerSetting } from "./optimizer.ts";
