import { formatShape, type ValueType } from "../graph/graph.ts";
import { dtypeCodes } from "./cast.ts";
import type { Emitter, InferContext, LowerContext, Value } from "./operator.ts";
import { floatTypes, typed } from "./shapes.ts";

/**
 * Checks an optimizer's inputs: R, T, then for n parameters X1..Xn, G1..Gn and `slots` lists of n more; returns the types of X' and the new slots.
 *
 * @throws GRAPH_SHAPE
 */
export function inferOptimizer(context: InferContext, slots: number): readonly ValueType[] {
  const rate = typed(context, 0, floatTypes);
  const step = typed(context, 1, ["int64"]);
  if (rate.shape.length > 0 || step.shape.length > 0) context.fail("the learning rate (input 0) and the step (input 1) must be scalars");
  const lists = slots + 2;
  const count = (context.inputs.length - 2) / lists;
  if (!Number.isInteger(count) || count < 1)
    context.fail(`after R and T come ${lists} lists of equal length, not ${context.inputs.length - 2} values`);
  if (context.outputCount !== count * (slots + 1))
    context.fail(`${count} parameters have ${count * (slots + 1)} outputs, not ${context.outputCount}`);
  for (let i = 0; i < count; i += 1) {
    const x = typed(context, 2 + i, floatTypes);
    for (let list = 1; list < lists; list += 1) {
      const at = 2 + list * count + i;
      const other = typed(context, at, [x.dtype]);
      if (formatShape(other.shape) !== formatShape(x.shape)) {
        context.fail(`input ${at} is ${formatShape(other.shape)}, but its parameter (input ${2 + i}) is ${formatShape(x.shape)}`);
      }
    }
  }
  return Array.from({ length: slots + 1 }, (_, list) => {
    return Array.from({ length: count }, (__, i) => context.input(2 + (list === 0 ? 0 : list + 1) * count + i));
  }).flat();
}

/** The values of one parameter: x, its gradient, and its slots. */
export interface OptimizedParameter {
  readonly x: Value;
  readonly g: Value;
  readonly slots: readonly Value[];
}

/** Writes an optimizer for each parameter by itself: `update` gives x' and the new slots. */
export function lowerOptimizer(context: LowerContext, slots: number, update: (parameter: OptimizedParameter) => readonly Value[]): readonly Value[] {
  const count = (context.inputs.length - 2) / (slots + 2);
  const updated = Array.from({ length: count }, (_, i) => {
    const at = (list: number): Value => context.input(2 + list * count + i);
    return update({ x: at(0), g: at(1), slots: Array.from({ length: slots }, (__, slot) => at(2 + slot)) });
  });
  return Array.from({ length: slots + 1 }, (_, list) => updated.flatMap((values) => values.slice(list, list + 1))).flat();
}

/** A value times a number. */
export function times(emit: Emitter, value: Value, factor: number): Value {
  return factor === 1 ? value : emit.op("Mul", [value, emit.scalar(factor, value.dtype)]);
}

/** g + c x, the gradient with an L2 penalty. */
export function regularized(emit: Emitter, { x, g }: OptimizedParameter, coefficient: number): Value {
  return coefficient === 0 ? g : emit.op("Add", [g, times(emit, x, coefficient)]);
}

/** A scalar in another element type. */
export function inType(emit: Emitter, value: Value, like: Value): Value {
  return value.dtype === like.dtype ? value : emit.op("Cast", [value], { to: dtypeCodes[like.dtype] });
}

/** Adam's R sqrt(1 - beta^T) / (1 - alpha^T), or R for T = 0, in R's element type. */
export function correctedRate(emit: Emitter, { rate, step, alpha, beta }: { rate: Value; step: Value; alpha: number; beta: number }): Value {
  const steps = inType(emit, step, rate);
  const corrected = emit.op("Div", [emit.op("Mul", [rate, emit.op("Sqrt", [oneMinusPower(emit, beta, steps)])]), oneMinusPower(emit, alpha, steps)]);
  return emit.op("Where", [emit.op("Greater", [steps, emit.scalar(0, rate.dtype)]), corrected, rate]);
}

/**
 * 1 - base^t without cancellation: in float32, 1 - 0.999^1 taken literally is wrong by 3e-5 of itself.
 * With e = t ln(base) and h = tanh(e / 2), 1 - exp(e) = -2h / (1 - h).
 */
export function oneMinusPower(emit: Emitter, base: number, t: Value): Value {
  if (base === 0) return emit.scalar(1, t.dtype);
  const h = emit.op("Tanh", [times(emit, t, Math.log(base) / 2)]);
  return emit.op("Div", [times(emit, h, -2), emit.op("Sub", [emit.scalar(1, t.dtype), h])]);
}
