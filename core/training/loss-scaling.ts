import { EspalierError } from "../errors.ts";
import { maxFloat32 } from "../float32.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { ValueName } from "../graph/graph.ts";
import { formula } from "../operators/formula.ts";
import type { Value } from "../operators/operator.ts";
import { inType } from "../operators/optimizer-node.ts";
import { toNumbers, type Tensors } from "../tensor.ts";

/** How the loss's scale moves; arguments and defaults are those of PyTorch's GradScaler. */
export interface LossScaling {
  /** The first scale; default 65536. */
  readonly initialScale?: number;
  /** What the scale is multiplied by after `growthInterval` good steps on end; above 1, default 2. */
  readonly growthFactor?: number;
  /** What the scale is multiplied by after a step whose gradient is not finite; between 0 and 1, default 0.5. */
  readonly backoffFactor?: number;
  /** In steps; default 2000. */
  readonly growthInterval?: number;
}

/** What the scaling keeps from step to step: slots, so that checkpoints have them, and a resumed run is exact. */
const [scaleName, goodName, skippedName] = ["loss_scale/scale", "loss_scale/good_steps", "loss_scale/skipped"];

/** The smallest number that float32 has with all its digits. */
const smallest = 2 ** -126;

/** Below this, gradients are not finite for another reason than their size. */
const hopeless = 2 ** -20;

/** @throws ARGUMENT_INVALID for a number out of range */
export function checkLossScaling({
  initialScale = 65536,
  growthFactor = 2,
  backoffFactor = 0.5,
  growthInterval = 2000,
}: LossScaling): Required<LossScaling> {
  checkNumber("initialScale", initialScale, initialScale > 0 && initialScale <= maxFloat32, "above 0, within float32");
  checkNumber("growthFactor", growthFactor, growthFactor > 1 && growthFactor < Infinity, "above 1");
  checkNumber("backoffFactor", backoffFactor, backoffFactor > 0 && backoffFactor < 1, "between 0 and 1");
  checkNumber("growthInterval", growthInterval, Number.isSafeInteger(growthInterval) && growthInterval >= 1, "whole, from 1");
  return { initialScale, growthFactor, backoffFactor, growthInterval };
}

/**
 * The scale of the loss in this step, float32 []: gradients of float16 that would be too small for it are then within its range.
 *
 * State starts at 0, which stands for the first scale.
 */
export function currentScale(builder: GraphBuilder, scaling: LossScaling): Value {
  const kept = keptValue(builder, scaleName, "float32");
  return builder.scope("loss_scale", () => {
    const isKept = builder.op("Greater", [kept, builder.scalar(0, "float32")]);
    return builder.op("Where", [isKept, kept, builder.scalar(checkLossScaling(scaling).initialScale, "float32")]);
  });
}

/** The loss times its scale: what is differentiated. */
export function scaled(builder: GraphBuilder, loss: Value, scale: Value): Value {
  return builder.scope("loss_scale", () => builder.op("Mul", [loss, inType(builder, scale, loss)]));
}

/** Gradients as they are without a scale, and whether they may be used. */
export interface Unscaled {
  readonly gradients: readonly Value[];
  /** Bool []: whether every number of every gradient is finite. */
  readonly isFinite: Value;
  /** int64 []: the optimizer's step, which counts only those that moved the parameters. */
  readonly step: Value;
}

/**
 * Divides gradients by the loss's scale, and moves the scale: down after gradients that are not finite, up after `growthInterval` steps without such.
 *
 * They count as not finite, too, when the sum of their magnitudes is beyond float32.
 * @see https://pytorch.org/docs/stable/amp.html#gradient-scaling
 */
export function unscale(
  builder: GraphBuilder,
  {
    gradients,
    scale,
    step,
    scaling,
  }: { readonly gradients: readonly Value[]; readonly scale: Value; readonly step: Value; readonly scaling: LossScaling },
): Unscaled {
  const [good, skipped] = [keptValue(builder, goodName, "int64"), keptValue(builder, skippedName, "int64")];
  return builder.scope("loss_scale", () => {
    const { add, mul, sub, where } = formula(builder);
    const sums = gradients.map((gradient) => inType(builder, builder.op("ReduceL1", [gradient], { keepdims: 0 }), scale));
    const total = sums.reduce((a, b) => add(a, b));
    const isFinite = builder.op("Not", [builder.op("Or", [builder.op("IsInf", [total]), builder.op("IsNaN", [total])])]);
    const { growthFactor, backoffFactor, growthInterval } = checkLossScaling(scaling);
    const isDue = builder.op("Equal", [add(good, 1), builder.scalar(growthInterval, "int64")]);
    const larger = mul(scale, growthFactor);
    const grown = where(builder.op("LessOrEqual", [larger, builder.scalar(maxFloat32, "float32")]), larger, scale);
    const smaller = builder.op("Max", [mul(scale, backoffFactor), builder.scalar(smallest, "float32")]);
    builder.update(scaleName, where(isFinite, where(isDue, grown, scale), smaller));
    builder.update(goodName, where(builder.op("And", [isFinite, builder.op("Not", [isDue])]), add(good, 1), zero(builder)));
    builder.update(skippedName, where(isFinite, skipped, add(skipped, 1)));
    const inverse = builder.op("Reciprocal", [scale]);
    return { gradients: gradients.map((gradient) => mul(gradient, inType(builder, inverse, gradient))), isFinite, step: sub(step, skipped) };
  });
}

/** Leaves state as it was where the gradients are not finite. @param states whose updates are written already */
export function skipUnlessFinite(builder: GraphBuilder, isFinite: Value, states: Iterable<ValueName>): void {
  for (const name of states) {
    builder.changeUpdate(name, (value) => builder.scope("loss_scale", () => builder.op("Where", [isFinite, value, builder.value(name)])));
  }
}

/** Sets state to zeros where the gradients are not finite: what was kept for an update that is passed over. */
export function zeroUnlessFinite(builder: GraphBuilder, isFinite: Value, states: readonly Value[]): void {
  builder.scope("loss_scale", () => {
    for (const state of states) builder.update(state.name, builder.op("Where", [isFinite, state, builder.scalar(0, state.dtype)]));
  });
}

/** How many of a run's updates were skipped, by its state. */
export function skippedUpdates(state: Tensors): number {
  const skipped = state[skippedName];
  return skipped === undefined ? 0 : Number(skipped.data[0]);
}

/** The scale, where it has fallen so far that no gradient is finite at any; undefined while there is hope, and without scaling. */
export function exhaustedScale(state: Tensors): number | undefined {
  const [scale = 0] = state[scaleName] === undefined ? [] : toNumbers(state[scaleName]);
  return scale > 0 && scale < hopeless ? scale : undefined;
}

/** Whether the loss is scaled: gradients that are kept for an update may then be infinite. */
export function isScaled(state: Tensors): boolean {
  return state[scaleName] !== undefined;
}

function keptValue(builder: GraphBuilder, name: ValueName, dtype: "float32" | "int64"): Value {
  return builder.has(name) ? builder.value(name) : builder.state(name, dtype, [], { role: "slot" });
}

function zero(builder: GraphBuilder): Value {
  return builder.scalar(0, "int64");
}

function checkNumber(name: string, value: number, isRight: boolean, range: string): void {
  if (isRight) return;
  throw new EspalierError("ARGUMENT_INVALID", `lossScaling: ${name} must be a number ${range}, not ${value}`, { [name]: value });
}
