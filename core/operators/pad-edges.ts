import type { Emitter, Value } from "./operator.ts";
import { staticShape } from "./static-shape.ts";

/** What Pad puts around a value. */
export type PadMode = "constant" | "reflect" | "edge" | "wrap";

/** The pads of one axis. */
export interface EdgePads {
  readonly axis: number;
  /** The axis's size before padding. */
  readonly size: number;
  /** Negative ones cut. */
  readonly before: number;
  readonly after: number;
  readonly mode: PadMode;
}

/** A value with pads along one axis, written without Pad; its batch size is known. */
export function padded(emit: Emitter, value: Value, { fill, ...pads }: EdgePads & { readonly fill: Value }): Value {
  const { axis, size, mode } = pads;
  const { cutBefore, cutAfter, before, after } = parts(pads);
  const end = size - cutAfter;
  const take = (from: number, to: number): Value => part(emit, value, { axis, from, to });
  const kept = cutBefore > 0 || cutAfter > 0 ? take(cutBefore, end) : value;
  const copies = (of: Value, count: number): Value => emit.op("Expand", [of, emit.ints(staticShape(value).with(axis, count))]);
  const front = (): Value => {
    switch (mode) {
      case "constant":
        return copies(fill, before);
      case "edge":
        return copies(take(cutBefore, cutBefore + 1), before);
      case "reflect":
        return turned(emit, take(cutBefore + 1, cutBefore + 1 + before), axis);
      case "wrap":
        return take(end - before, end);
      default:
        return mode satisfies never;
    }
  };
  const back = (): Value => {
    switch (mode) {
      case "constant":
        return copies(fill, after);
      case "edge":
        return copies(take(end - 1, end), after);
      case "reflect":
        return turned(emit, take(end - 1 - after, end - 1), axis);
      case "wrap":
        return take(cutBefore, cutBefore + after);
      default:
        return mode satisfies never;
    }
  };
  const pieces = [...(before > 0 ? [front()] : []), kept, ...(after > 0 ? [back()] : [])];
  return pieces.length === 1 ? kept : emit.op("Concat", pieces, { axis });
}

/** The gradient of the value from that of its padded form: each pad's part goes back to the elements it was copied from. */
export function unpadded(emit: Emitter, gradient: Value, pads: EdgePads): Value {
  const { axis, size, mode } = pads;
  const { cutBefore, cutAfter, before, after } = parts(pads);
  const kept = size - cutBefore - cutAfter;
  const take = (from: number, to: number): Value => part(emit, gradient, { axis, from, to });
  /** Elements that start at place `at` of the axis, zeros around. */
  const put = (value: Value, at: number, count: number): Value => {
    const around = [at, size - at - count];
    return around.every((width) => width === 0) ? value : emit.op("Pad", [value, emit.ints(around), undefined, emit.ints([axis])]);
  };
  const sum = (value: Value): Value => emit.op("ReduceSum", [value, emit.ints([axis])], { keepdims: 1 });
  const terms = [put(before > 0 || after > 0 ? take(before, before + kept) : gradient, cutBefore, kept)];
  const [front, back] = [(): Value => take(0, before), (): Value => take(before + kept, before + kept + after)];
  const end = size - cutAfter;
  if (mode === "edge") {
    if (before > 0) terms.push(put(sum(front()), cutBefore, 1));
    if (after > 0) terms.push(put(sum(back()), end - 1, 1));
  } else if (mode === "reflect") {
    if (before > 0) terms.push(put(turned(emit, front(), axis), cutBefore + 1, before));
    if (after > 0) terms.push(put(turned(emit, back(), axis), end - 1 - after, after));
  } else if (mode === "wrap") {
    if (before > 0) terms.push(put(front(), end - before, before));
    if (after > 0) terms.push(put(back(), cutBefore, after));
  }
  return terms.reduce((total, term) => emit.op("Add", [total, term]));
}

function parts({ before, after }: EdgePads): { cutBefore: number; cutAfter: number; before: number; after: number } {
  return { cutBefore: Math.max(0, -before), cutAfter: Math.max(0, -after), before: Math.max(0, before), after: Math.max(0, after) };
}

function part(emit: Emitter, value: Value, { axis, from, to }: { axis: number; from: number; to: number }): Value {
  return emit.op("Slice", [value, emit.ints([from]), emit.ints([to]), emit.ints([axis])]);
}

function turned(emit: Emitter, value: Value, axis: number): Value {
  return emit.op("Slice", [value, emit.ints([-1]), emit.ints([-(2 ** 31)]), emit.ints([axis]), emit.ints([-1])]);
}
