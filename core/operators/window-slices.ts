import { spread } from "./gradients.ts";
import type { Emitter, Value } from "./operator.ts";
import type { SlidingWindow } from "./sliding-window.ts";

/** x [batch, channels, ...spatial] with a constant around it, as far as the last window reaches. */
export function padForWindow(emit: Emitter, x: Value, { window, value }: { window: SlidingWindow; value: number }): Value {
  const ends = window.input.map((size, i) => Math.max(0, reachedBy(window, i) - size - at(window.begin, i)));
  if ([...window.begin, ...ends].every((size) => size === 0)) return x;
  return emit.op("Pad", [x, emit.ints([0, 0, ...window.begin, 0, 0, ...ends]), emit.scalar(value, x.dtype)]);
}

/** What every window has at one place of the kernel: [batch, channels, ...output]. */
export function windowSlice(emit: Emitter, padded: Value, { window, offset }: { window: SlidingWindow; offset: readonly number[] }): Value {
  const starts = offset.map((place, i) => place * at(window.dilations, i));
  const ends = starts.map((start, i) => start + (at(window.output, i) - 1) * at(window.strides, i) + 1);
  const whole = starts.every((start, i) => start === 0 && at(window.strides, i) === 1 && ends[i] === padded.shape[i + 2]);
  if (whole) return padded;
  const axes = offset.map((_, i) => i + 2);
  return emit.op("Slice", [padded, emit.ints(starts), emit.ints(ends), emit.ints(axes), emit.ints(window.strides)]);
}

/** The reverse of `windowSlice`: puts [batch, channels, ...output] back at one place of the kernel, zeros elsewhere, padding dropped. */
export function windowSpread(emit: Emitter, slice: Value, { window, offset }: { window: SlidingWindow; offset: readonly number[] }): Value {
  return offset.reduce((value, place, i) => {
    const before = place * at(window.dilations, i) - at(window.begin, i);
    return spread(emit, value, { axis: i + 2, step: at(window.strides, i), before, size: at(window.input, i) });
  }, slice);
}

function reachedBy(window: SlidingWindow, axis: number): number {
  return (at(window.output, axis) - 1) * at(window.strides, axis) + (at(window.kernel, axis) - 1) * at(window.dilations, axis) + 1;
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0; // every list has one entry for each spatial axis
}
