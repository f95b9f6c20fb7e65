import type { Dimension } from "../graph/graph.ts";
import { toNumbers } from "../tensor.ts";
import { vectorContents } from "./contents.ts";
import { spread } from "./gradients.ts";
import type { GradientContext, InferContext, Operator, Value } from "./operator.ts";
import { axesOf, knownInts, movableTypes, optionalInts, typed } from "./shapes.ts";

/**
 * Elements from `starts` up to `ends` by `steps` along `axes` (inputs 1 to 4); places beyond the end are cut, negative ones count from the end.
 *
 * The batch axis can only be taken whole.
 * @see https://onnx.ai/onnx/operators/onnx__Slice.html
 */
export const slice: Operator = {
  name: "Slice",
  domain: "",
  inputs: [3, 5],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const x = typed(context, 0, movableTypes);
    const starts = knownInts(context, 1, "starts");
    const ends = knownInts(context, 2, "ends");
    const axes = axesOf(context, optionalInts(context, 3, "axes") ?? [...starts.keys()], x.shape.length);
    const steps = optionalInts(context, 4, "steps") ?? starts.map(() => 1);
    if (new Set([starts.length, ends.length, axes.length, steps.length]).size !== 1) {
      context.fail(`${starts.length} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps must be equally many`);
    }
    const shape = x.shape.map((size, axis) => {
      const i = axes.indexOf(axis);
      return i < 0 ? size : slicedSize(context, size, { start: starts[i] ?? 0, end: ends[i] ?? 0, step: steps[i] ?? 1 });
    });
    return [{ dtype: x.dtype, shape }];
  },
  contents(context) {
    const all = vectorContents(context, 0);
    if (all === undefined) return undefined;
    const [start = 0] = knownInts(context, 1, "starts");
    const [end = 0] = knownInts(context, 2, "ends");
    const [step = 1] = optionalInts(context, 4, "steps") ?? [];
    const range = sliceRange(all.length, { start, end, step });
    return Array.from({ length: range.count }, (_, i) => all[range.first + i * range.step] ?? 0);
  },
  // Each axis in turn: turn a backward slice round, put gaps between the elements of a stepping one, fill up both ends with zeros.
  gradient(context) {
    const [dy] = context.gradients;
    if (dy === undefined) return [];
    const x = context.input(0);
    const rank = x.shape.length;
    const starts = known(context, 1) ?? [];
    const ends = known(context, 2) ?? [];
    const axes = (known(context, 3) ?? [...starts.keys()]).map((axis) => (axis < 0 ? axis + rank : axis));
    const steps = known(context, 4) ?? starts.map(() => 1);
    return [
      axes.reduce((gradient, axis, i) => {
        const part = { start: starts[i] ?? 0, end: ends[i] ?? 0, step: steps[i] ?? 1 };
        return unslice(context, gradient, { axis, size: x.shape[axis] ?? 1, part });
      }, dy),
    ];
  },
};

/** One axis of a Slice, as it was written. */
export interface SlicePart {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** The elements that a slice takes from an axis of a known size: `first`, `first + step`, ..., `count` of them. */
export function sliceRange(size: number, { start, end, step }: SlicePart): { readonly first: number; readonly step: number; readonly count: number } {
  const fromFront = (place: number): number => (place < 0 ? place + size : place);
  const clamp = (place: number, low: number, high: number): number => Math.min(Math.max(place, low), high);
  const first = step > 0 ? clamp(fromFront(start), 0, size) : clamp(fromFront(start), 0, size - 1);
  const last = step > 0 ? clamp(fromFront(end), 0, size) : clamp(fromFront(end), -1, size - 1);
  return { first, step, count: Math.max(0, Math.ceil((last - first) / step)) };
}

function slicedSize(context: InferContext, size: Dimension, part: SlicePart): Dimension {
  if (part.step === 0) context.fail("a step cannot be 0");
  if (size !== "batch") return sliceRange(size, part).count;
  const whole = part.start === 0 && part.step === 1 && part.end >= 2 ** 31 - 1;
  const reversed = part.start === -1 && part.step === -1 && part.end <= -(2 ** 31 - 1);
  return whole || reversed ? size : context.fail("the batch axis can only be taken whole");
}

function unslice({ emit }: GradientContext, gradient: Value, { axis, size, part }: { axis: number; size: Dimension; part: SlicePart }): Value {
  const reverse = (value: Value): Value => emit.op("Slice", [value, emit.ints([-1]), emit.ints([-(2 ** 31)]), emit.ints([axis]), emit.ints([-1])]);
  const forwards = part.step < 0 ? reverse(gradient) : gradient;
  if (size === "batch") return forwards;
  const { first, step, count } = sliceRange(size, part);
  const lowest = step < 0 ? first + (count - 1) * step : first;
  return spread(emit, forwards, { axis, step: Math.abs(step), before: count === 0 ? 0 : lowest, size });
}

function known({ constant }: GradientContext, index: number): readonly number[] | undefined {
  const value = constant(index);
  return value && toNumbers(value);
}
