import { EspalierError } from "../../errors.ts";
import { formula } from "../../operators/formula.ts";
import { inType } from "../../operators/optimizer-node.ts";
import type { Value } from "../../operators/operator.ts";
import { createOptimizer, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import type { GroupContext } from "./parameter-group.ts";
import { checkRange } from "./slots.ts";

/** Keras's argument names and defaults. `weightDecay` is decoupled; default 0. */
export interface AdafactorOptions extends OptimizerOptions {
  /** The mean square of step t keeps 1 - t^beta2Decay of itself; below 0. */
  readonly beta2Decay?: number;
  /** The least mean square. */
  readonly epsilon1?: number;
  /** The least root mean square that a parameter is taken to have. */
  readonly epsilon2?: number;
  /** A step whose root mean square is above this is scaled down. */
  readonly clipThreshold?: number;
}

/**
 * Adam without momentum, whose mean squares of a matrix are kept as one row and one column: almost no memory. The step is the smaller of the rate and
 * 1 / sqrt(t), times the parameter's root mean square.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see N. Shazeer, M. Stern, Adafactor: adaptive learning rates with sublinear memory cost (2018)
 */
export function adafactor({
  learningRate = 0.001,
  beta2Decay = -0.8,
  epsilon1 = 1e-30,
  epsilon2 = 1e-3,
  clipThreshold = 1,
  ...options
}: AdafactorOptions = {}): Optimizer {
  checkRange("adafactor", { epsilon1, epsilon2 }, Infinity);
  checkRange("adafactor", { clipThreshold }, Infinity, { above: true });
  if (!(beta2Decay < 0 && Number.isFinite(beta2Decay))) {
    throw new EspalierError("ARGUMENT_INVALID", `adafactor: beta2Decay must be a number below 0, not ${beta2Decay}`, { beta2Decay });
  }
  return createOptimizer({
    name: "adafactor",
    learningRate,
    weightDecay: options.weightDecay ?? 0,
    config: { beta2Decay, epsilon1, epsilon2, clipThreshold },
    options,
    write(group) {
      const { builder, parameters, gradients, learningRate: rate, step, weightDecay } = group;
      const { sub, mul, div, max, min, square, sqrt, mean } = formula(builder);
      const steps = inType(builder, step, rate);
      const share = builder.op("Pow", [steps, builder.scalar(beta2Decay, steps.dtype)]);
      const size = min(rate, div(1, sqrt(steps)));
      const rms = (value: Value): Value => sqrt(mean(square(value)));
      parameters.forEach((x, i) => {
        const g = gradients[i] as Value; // a gradient for each parameter
        const squares = x.shape.length < 2 ? fullSquares(group, { x, g, share }) : factoredSquares(group, { x, g, share, epsilon: epsilon1 });
        const raw = div(g, sqrt(max(squares, epsilon1)));
        const direction = div(raw, max(div(rms(raw), clipThreshold), 1));
        const kept = weightDecay === 0 ? x : mul(x, sub(1, mul(rate, weightDecay)));
        builder.update(x.name, sub(kept, mul(mul(max(rms(x), epsilon2), size), direction)));
      });
    },
  });
}

interface Squares {
  readonly x: Value;
  readonly g: Value;
  /** How much of the present step enters. */
  readonly share: Value;
}

function fullSquares({ builder }: GroupContext, { x, g, share }: Squares): Value {
  const { square } = formula(builder);
  return runningMean(builder, { name: `adafactor/v/${x.name}`, value: square(g), share });
}

/** The mean squares of rows [.., rows] and columns [.., columns], and their product over the mean of all. */
function factoredSquares({ builder }: GroupContext, { x, g, share, epsilon }: Squares & { readonly epsilon: number }): Value {
  const { mul, div, max, mean, square } = formula(builder);
  const rank = x.shape.length;
  const squared = square(g);
  const rows = runningMean(builder, { name: `adafactor/r/${x.name}`, value: mean(squared, [rank - 1]), share });
  const columns = runningMean(builder, { name: `adafactor/c/${x.name}`, value: mean(squared, [rank - 2]), share });
  const all = builder.op("ReduceMean", [rows, builder.ints([rank - 2])], { keepdims: 1 });
  const ofRows = builder.op("Unsqueeze", [div(rows, max(all, epsilon)), builder.ints([rank - 1])]);
  return mul(ofRows, builder.op("Unsqueeze", [columns, builder.ints([rank - 2])]));
}

function runningMean(
  builder: GroupContext["builder"],
  { name, value, share }: { readonly name: string; readonly value: Value; readonly share: Value },
): Value {
  const { add, mul, sub } = formula(builder);
  const slot = builder.state(name, value.dtype, value.shape as readonly number[], { role: "slot" }); // a gradient has no batch dimension
  const next = add(slot, mul(sub(value, slot), share));
  builder.update(name, next);
  return next;
}
