import { formatShape, type ValueType } from "../graph/graph.ts";
import { reshape } from "./gradients.ts";
import type { Emitter, InferContext, Value } from "./operator.ts";
import { alike, floatTypes } from "./shapes.ts";

/**
 * Checks X [batch, C, ...] and the inputs that hold one number a channel, [C].
 *
 * @param names what input 1, 2, ... are called in errors
 * @throws GRAPH_SHAPE
 */
export function typedWithChannels(context: InferContext, names: readonly string[]): ValueType {
  alike(context, [...names.keys(), names.length], floatTypes);
  const x = context.input(0);
  if (x.shape.length < 2) context.fail(`needs [batch, channels, ...], not rank ${x.shape.length}`);
  const expected = formatShape(x.shape.slice(1, 2));
  for (const [i, name] of names.entries()) {
    const given = formatShape(context.input(i + 1).shape);
    if (given !== expected) context.fail(`${name} must have one number for each of the ${x.shape[1]} channels, ${expected}, not ${given}`);
  }
  return x;
}

/** The axes of a channel's elements in [batch, C, ...]: all but axis 1. */
export function axesAroundChannels(x: Value): readonly number[] {
  return [...x.shape.keys()].filter((axis) => axis !== 1);
}

/** One number a channel, [C], to go with [batch, C, ...]: [C, 1, ...]. */
export function alongChannels(emit: Emitter, value: Value, x: Value): Value {
  return reshape(emit, value, [x.shape[1] ?? 1, ...x.shape.slice(2).map(() => 1)]);
}
