import type { Emitter, Value } from "../operators/operator.ts";
import type { LayerContext } from "./layer.ts";

/** Applies what works on axis 1 to another axis: moves it there and back. @param axis counted from the end where negative */
export function axisSecond(emit: Emitter, x: Value, axis: number, apply: (turned: Value) => Value): Value {
  const place = axis < 0 ? axis + x.shape.length : axis;
  const [batch = 0, ...others] = [...x.shape.keys()].filter((other) => other !== place);
  return reordered(emit, x, [batch, place, ...others], apply);
}

/** Axes from the front, in rising order; refuses the batch and what is not there. @param axis one or several, counted from the end where negative */
export function featureAxes(x: Value, axis: number | readonly number[], fail: LayerContext["fail"]): readonly number[] {
  const rank = x.shape.length;
  const places = (typeof axis === "number" ? [axis] : axis).map((one) => (one < 0 ? one + rank : one));
  const isFeature = (place: number): boolean => Number.isInteger(place) && place >= 1 && place < rank;
  if (places.length > 0 && places.every(isFeature) && new Set(places).size === places.length) return places.toSorted((a, b) => a - b);
  return fail(`axis must name dimensions after the batch, from 1 to ${rank - 1} or from the end, not ${JSON.stringify(axis)}`);
}

/** Applies what works on the last axes to others: moves them there and back. @param axes from the front, rising */
export function axesLast(emit: Emitter, x: Value, axes: readonly number[], apply: (turned: Value) => Value): Value {
  return reordered(emit, x, [...[...x.shape.keys()].filter((axis) => !axes.includes(axis)), ...axes], apply);
}

function reordered(emit: Emitter, x: Value, order: readonly number[], apply: (turned: Value) => Value): Value {
  if (order.every((axis, i) => axis === i)) return apply(x);
  const back = order.map((_, axis) => order.indexOf(axis));
  return emit.op("Transpose", [apply(emit.op("Transpose", [x], { perm: order }))], { perm: back });
}
