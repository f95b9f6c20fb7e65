import { checkedWindow, elementCount, kernelOffsets, type SlidingWindow } from "../../../core/index.ts";
import { int, ints, text } from "../onnx-emitter.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";
import { isDisjoint, product, tilesFromStart, transposedEnds } from "./window.ts";

/**
 * Max pooling's gradient: MaxPoolGrad(X, Y, dY) -> dX; the first maximum of a window takes it all.
 *
 * Comparisons with Y where windows lie side by side; else MaxPool's indices, with MaxUnpool where windows do not overlap (it
 * overwrites) and ScatterElements where they do. With indices, shapes from [64, 6, 28, 28] to [32, 64, 32, 32] took 1.3 to 1.7 times as
 * long as comparing, in one thread.
 */
export const maxPoolGrad: Lowering = {
  operator: "MaxPoolGrad",
  lower(context) {
    const { input, attributes } = context;
    const window = checkedWindow(attributes, attributes.ints("kernel_shape"), input(0).shape.slice(2));
    if (tilesFromStart(window)) return [byComparison(context, window)];
    return [byIndices(context, window)];
  },
};

/**
 * dY goes to the first place of its window whose value is Y; what no place has taken yet goes on to the next.
 *
 * X is cut into one tensor for each place of the window by Split, and put together again by Concat: both copy whole rows, where Slice
 * took 4 ns an element.
 */
function byComparison(context: LoweringContext, window: SlidingWindow): string {
  const { emit, input } = context;
  const { kernel, output } = window;
  const outer = (input(0).shape[0] ?? 0) * (input(0).shape[1] ?? 0);
  const flat = emit.ints([outer * product(output)]);
  const maxima = emit.emit("Reshape", [input(1).name, flat]);
  const zero = emit.scalar(0, input(0).dtype);
  const places = splitPlaces(context, window);
  let left = emit.emit("Reshape", [input(2).name, flat]);
  const parts = new Map<string, string>();
  const offsets = kernelOffsets(kernel).map((offset) => offset.join());
  for (const offset of offsets.slice(0, -1)) {
    const isMaximum = emit.emit("Equal", [emit.emit("Reshape", [places.get(offset) ?? "", flat]), maxima]);
    const part = emit.emit("Where", [isMaximum, left, zero]);
    left = emit.emit("Sub", [left, part]);
    parts.set(offset, part);
  }
  parts.set(offsets.at(-1) ?? "", left);
  return joinPlaces(context, window, parts);
}

/** X's elements at each place of the window, by the place's coordinates; each has as many elements as Y, in Y's order. */
function splitPlaces({ emit, input }: LoweringContext, { kernel, output, input: sizes }: SlidingWindow): ReadonlyMap<string, string> {
  const outer = (input(0).shape[0] ?? 0) * (input(0).shape[1] ?? 0);
  const used = output.map((size, i) => size * (kernel[i] ?? 1));
  const isWhole = used.every((size, i) => size === sizes[i]);
  const axes = emit.ints(kernel.map((_, i) => i + 2));
  const cut = isWhole ? input(0).name : emit.emit("Slice", [input(0).name, emit.ints(kernel.map(() => 0)), emit.ints(used), axes]);
  // The last axis's places are columns: one transposition of a matrix makes rows of them.
  const last = kernel.at(-1) ?? 1;
  const rows = (outer * product(used)) / last;
  const columns = emit.emit("Transpose", [emit.emit("Reshape", [cut, emit.ints([rows, last])])], { perm: ints([1, 0]) });
  let members = split(columns, { axis: 0, count: last }).map((value, place) => ({ value, place: [place] }));
  for (let axis = kernel.length - 2; axis >= 0; axis -= 1) {
    // [everything before, this axis's places, the axes after, whose places are gone already]
    const count = kernel[axis] ?? 1;
    const shape = emit.ints([outer * product(used.slice(0, axis)) * (output[axis] ?? 1), count, product(output.slice(axis + 1))]);
    members = members.flatMap(({ value, place }) =>
      split(emit.emit("Reshape", [value, shape]), { axis: 1, count }).map((part, i) => ({ value: part, place: [i, ...place] })),
    );
  }
  return new Map(members.map(({ value, place }) => [place.join(), value]));

  function split(value: string, { axis, count }: { readonly axis: number; readonly count: number }): readonly string[] {
    if (count === 1) return [value];
    const name = emit.emit("Split", [value], { axis: int(axis), num_outputs: int(count) }, { outputs: count });
    return Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`));
  }
}

/** The reverse of `splitPlaces`, and zeros where no window reached: [N, C, ...input]. */
function joinPlaces({ emit, input }: LoweringContext, window: SlidingWindow, parts: ReadonlyMap<string, string>): string {
  const { kernel, output } = window;
  const [images = 0, channels = 0] = input(0).shape;
  const used = output.map((size, i) => size * (kernel[i] ?? 1));
  const last = kernel.at(-1) ?? 1;
  let members = parts;
  for (let axis = 0; axis < kernel.length - 1; axis += 1) {
    const shape = emit.ints([images * channels * product(used.slice(0, axis)) * (output[axis] ?? 1), 1, product(output.slice(axis + 1))]);
    const tails = new Set([...members.keys()].map((place) => place.split(",").slice(1).join()));
    members = new Map(
      [...tails].map((tail) => [
        tail,
        concat(
          Array.from({ length: kernel[axis] ?? 1 }, (_, i) => `${i},${tail}`),
          { axis: 1, shape },
        ),
      ]),
    );
  }
  const row = emit.ints([1, (images * channels * product(used)) / last]);
  const columns = concat(
    Array.from({ length: last }, (_, i) => `${i}`),
    { axis: 0, shape: row },
  );
  const whole = emit.emit("Reshape", [emit.emit("Transpose", [columns], { perm: ints([1, 0]) }), emit.ints([images, channels, ...used])]);
  const unused = window.input.map((size, i) => size - (used[i] ?? 0));
  if (unused.every((size) => size === 0)) return whole;
  return emit.emit("Pad", [whole, emit.ints([0, 0, ...unused.map(() => 0), 0, 0, ...unused]), emit.scalar(0, input(0).dtype)]);

  function concat(places: readonly string[], { axis, shape }: { readonly axis: number; readonly shape: string }): string {
    const values = places.map((place) => emit.emit("Reshape", [members.get(place) ?? "", shape]));
    return values.length === 1 ? (values[0] ?? "") : emit.emit("Concat", values, { axis: int(axis) });
  }
}

function byIndices({ emit, input }: LoweringContext, window: SlidingWindow): string {
  const x = input(0);
  // As far as the last window reaches: the end of a pad that no window sees, and ceil_mode's last window, are read otherwise by some of these operators.
  const pads = ints([...window.begin, ...transposedEnds(window).pads]);
  const gradient = input(2).name;
  const pool = emit.emit(
    "MaxPool",
    [x.name],
    {
      kernel_shape: ints(window.kernel),
      strides: ints(window.strides),
      dilations: ints(window.dilations),
      pads,
    },
    { outputs: 2 },
  );
  const indices = `${pool}:1`; // positions in the whole of X
  if (isDisjoint(window)) {
    const unpooled = { kernel_shape: ints(window.kernel), strides: ints(window.strides), pads };
    return emit.emit("MaxUnpool", [gradient, indices, emit.ints(x.shape)], unpooled);
  }
  const flat = emit.ints([-1]);
  const zeros = emit.emit("Expand", [emit.scalar(0, x.dtype), emit.ints([elementCount(x.shape)])]);
  const added = emit.emit("ScatterElements", [zeros, emit.emit("Reshape", [indices, flat]), emit.emit("Reshape", [gradient, flat])], {
    axis: int(0),
    reduction: text("add"),
  });
  return emit.emit("Reshape", [added, emit.ints(x.shape)]);
}
