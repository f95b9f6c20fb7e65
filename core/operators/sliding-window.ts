import type { Dimension } from "../graph/graph.ts";
import type { Attributes, AttributeSpec, InferContext } from "./operator.ts";
import { staticSizes } from "./shapes.ts";

/** Where windows lie on the spatial axes: every convolution and pooling, in every backend, reads its geometry here. */
export interface SlidingWindow {
  /** The sizes that the window slides over. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and after, per axis, with auto_pad worked out. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** The attributes that `slidingWindow` reads. */
export const windowAttributes: Readonly<Record<string, AttributeSpec>> = {
  auto_pad: { kind: "string", default: "NOTSET" },
  strides: { kind: "ints" },
  pads: { kind: "ints" },
  dilations: { kind: "ints" },
};

/** Positions on an axis with its padding are counted in 32 bits by every backend. */
const longestAxis = 2 ** 31 - 1;

/** What `slidingWindow` needs besides the attributes. */
export interface WindowOptions {
  readonly kernel: readonly number[];
  readonly input: readonly number[];
  /** Called with what is wrong; must throw. */
  readonly fail: (message: string) => never;
}

/**
 * Works out a node's window from its attributes.
 *
 * With `ceil_mode` a last window may reach over the padding, but never starts beyond it (as in PyTorch and ONNX Runtime).
 * @see https://onnx.ai/onnx/operators/onnx__MaxPool.html
 */
export function slidingWindow(attributes: Attributes, { kernel, input, fail }: WindowOptions): SlidingWindow {
  const rank = input.length;
  const list = (name: string, length: number, standard: number): readonly number[] => {
    const values = attributes.has(name) ? attributes.ints(name) : Array.from({ length }, () => standard);
    return values.length === length ? values : fail(`${name} [${values.join(", ")}] must have ${length} entries for ${rank} spatial axes`);
  };
  const strides = list("strides", rank, 1);
  const dilations = list("dilations", rank, 1);
  if (kernel.length !== rank) fail(`kernel [${kernel.join(", ")}] must have ${rank} entries for ${rank} spatial axes`);
  for (const [name, values] of Object.entries({ kernel, strides, dilations })) {
    if (values.some((value) => value < 1)) fail(`${name} [${values.join(", ")}] must be at least 1`);
  }
  const reach = kernel.map((size, i) => (size - 1) * (dilations[i] ?? 1) + 1);
  const autoPad = attributes.string("auto_pad");
  const given = list("pads", 2 * rank, 0);
  if (given.some((pad) => pad < 0)) fail(`pads [${given.join(", ")}] cannot be negative`);
  const pads = input.map((size, i): readonly [number, number] => {
    if (autoPad === "NOTSET") return [given[i] ?? 0, given[i + rank] ?? 0];
    if (autoPad === "VALID") return [0, 0];
    if (autoPad !== "SAME_UPPER" && autoPad !== "SAME_LOWER") return fail(`auto_pad "${autoPad}" is not NOTSET, VALID, SAME_UPPER or SAME_LOWER`);
    const stride = strides[i] ?? 1;
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + (reach[i] ?? 1) - size);
    const small = Math.floor(total / 2);
    return autoPad === "SAME_UPPER" ? [small, total - small] : [total - small, small];
  });
  const ceil = attributes.has("ceil_mode") && attributes.int("ceil_mode") === 1;
  const output = input.map((size, i) => {
    const [before, after] = pads[i] ?? [0, 0];
    const stride = strides[i] ?? 1;
    if (size + before + after > longestAxis) fail(`pads ${before} and ${after} make spatial axis ${i} longer than ${longestAxis}`);
    const room = size + before + after - (reach[i] ?? 1);
    if (room < 0) fail(`a kernel that reaches over ${reach[i]} does not fit spatial axis ${i} of size ${size} with pads ${before} and ${after}`);
    const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    return ceil && (count - 1) * stride >= size + before ? count - 1 : count;
  });
  return { input, output, kernel, strides, dilations, begin: pads.map(([before]) => before), end: pads.map(([, after]) => after) };
}

/** The window of a node whose input 0 is [batch, channels, ...spatial]. @throws GRAPH_SHAPE */
export function windowOver(context: InferContext, kernel: readonly number[], shape: readonly Dimension[] = context.input(0).shape): SlidingWindow {
  if (shape.length < 3) context.fail(`needs [batch, channels, ...spatial], not rank ${shape.length}`);
  const input = staticSizes(context, shape.slice(2), "a spatial axis");
  return slidingWindow(context.attributes, { kernel, input, fail: (message) => context.fail(message) });
}

/** Attributes that give the same window without auto_pad. */
export function windowToAttributes({ strides, dilations, begin, end }: SlidingWindow): Record<"strides" | "dilations" | "pads", readonly number[]> {
  return { strides, dilations, pads: [...begin, ...end] };
}

/** Every place in the kernel, in row-major order. */
export function kernelOffsets(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>(
    (places, size) => {
      return places.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i]));
    },
    [[]],
  );
}

/** For a gradient rule or a lowering, whose node's shapes were checked when it was added. */
export function checkedWindow(attributes: Attributes, kernel: readonly number[], spatial: readonly Dimension[]): SlidingWindow {
  const fail = (message: string): never => {
    throw new RangeError(message);
  };
  return slidingWindow(attributes, { kernel, input: spatial.map(Number), fail });
}
