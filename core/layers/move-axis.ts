import type { Emitter, Value } from "../operators/operator.ts";

/** Applies what works on axis 1 to another axis: moves it there and back. @param axis counted from the end where negative */
export function axisSecond(emit: Emitter, x: Value, axis: number, apply: (turned: Value) => Value): Value {
  return moved(emit, x, { from: axis, to: 1 }, apply);
}

/** Applies what works on the last axis to another axis: moves it there and back. @param axis counted from the end where negative */
export function axisLast(emit: Emitter, x: Value, axis: number, apply: (turned: Value) => Value): Value {
  return moved(emit, x, { from: axis, to: x.shape.length - 1 }, apply);
}

function moved(emit: Emitter, x: Value, { from, to }: { from: number; to: number }, apply: (turned: Value) => Value): Value {
  const place = from < 0 ? from + x.shape.length : from;
  if (place === to) return apply(x);
  const order = [...x.shape.keys()].filter((axis) => axis !== place);
  order.splice(to, 0, place);
  const back = order.map((_, axis) => order.indexOf(axis));
  return emit.op("Transpose", [apply(emit.op("Transpose", [x], { perm: order }))], { perm: back });
}
