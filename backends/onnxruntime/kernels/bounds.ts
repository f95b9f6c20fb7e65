import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";

/** What an activation keeps its input between: Clip, or Relu with 0 and Infinity. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
  /** Whether a gradient passes at the bounds themselves. */
  readonly passesEnds: boolean;
}

/** How an input is kept inside, NaN as it is: outside a loop, because it holds constants. */
export function kept(code: FunctionBuilder, bounds: Bounds | undefined): (value: Local) => Local {
  const low = bounds && Number.isFinite(bounds.low) ? code.constant(bounds.low) : undefined;
  const high = bounds && Number.isFinite(bounds.high) ? code.constant(bounds.high) : undefined;
  return (value) => {
    const raised = low === undefined ? value : code.vector("higher", [value, low]);
    return high === undefined ? raised : code.vector("lower", [raised, high]);
  };
}

/**
 * How a gradient is taken where an activation let its input pass, and 0 elsewhere: outside a loop, because it holds constants.
 *
 * A NaN input lets nothing pass, as in the comparisons that this replaces. An infinite or NaN gradient is 0 where nothing passes, as in PyTorch; times the mask's 0
 * it would be NaN.
 */
export function masked(code: FunctionBuilder, bounds: Bounds | undefined): (gradient: Local, input: () => Local) => Local {
  const low = bounds && Number.isFinite(bounds.low) ? code.constant(bounds.low) : undefined;
  const high = bounds && Number.isFinite(bounds.high) ? code.constant(bounds.high) : undefined;
  if (low === undefined && high === undefined) return (gradient) => gradient;
  const [above, below] = bounds?.passesEnds === true ? (["atLeast", "atMost"] as const) : (["greater", "less"] as const);
  return (gradient, input) => {
    const value = input();
    const isHigh = low && code.vector(above, [value, low]);
    const isLow = high && code.vector(below, [value, high]);
    const passes = [isHigh, isLow].filter((mask) => mask !== undefined);
    return passes.reduce((result, mask) => code.vector("and", [result, mask]), gradient);
  };
}
