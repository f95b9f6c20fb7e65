import { formatShape, type Attribute, type Dimension, type ValueType } from "../graph/graph.ts";
import type { Attributes, AttributeSpec, InferContext } from "./operator.ts";
import { floatTypes, staticSizes, typed } from "./shapes.ts";
import { checkedWindow, windowAttributes, windowOver, windowToAttributes, type SlidingWindow } from "./sliding-window.ts";

// What every pool has: a window over the spatial axes of [batch, C, ...spatial], each channel by itself.

/** The attributes of a pool's window. */
export const poolAttributes: Readonly<Record<string, AttributeSpec>> = {
  ...windowAttributes,
  kernel_shape: { kind: "ints", required: true },
  ceil_mode: { kind: "int", default: 0 },
};

/**
 * The window of a pool over values of a shape, and the type of what it gives: [batch, C, ...output].
 *
 * @throws GRAPH_SHAPE also for pads as wide as the kernel's reach: such a window would see nothing but padding
 */
export function typedPool(context: InferContext, shape: readonly Dimension[] = context.input(0).shape): ValueType {
  const { dtype } = typed(context, 0, floatTypes);
  const window = windowOver(context, context.attributes.ints("kernel_shape"), shape);
  const reach = window.kernel.map((size, i) => (size - 1) * (window.dilations[i] ?? 1) + 1);
  const pads = [...window.begin, ...window.end];
  if (pads.some((pad, i) => pad >= (reach[i % reach.length] ?? 1)))
    context.fail(`pads ${formatShape(pads)} must be smaller than the kernel, which reaches over ${formatShape(reach)}`);
  const taps = [...window.kernel, ...window.output].reduce((product, size) => product * size, 1);
  if (taps > mostTaps)
    context.fail(
      `a kernel of ${formatShape(window.kernel)} at ${formatShape(window.output)} places reads ${taps} elements of a channel, more than ${mostTaps}`,
    );
  return { dtype, shape: [...shape.slice(0, 2), ...window.output] };
}

/** Backends go through a window's elements at every place, and no weight's size bounds a pool's kernel. */
const mostTaps = 2 ** 31;

/** @throws GRAPH_SHAPE when what goes back through a pool has not the shape of what the pool gives */
export function checkPooled(
  context: InferContext,
  { pool, expected, given }: { pool: string; expected: ValueType; given: Record<string, ValueType> },
): void {
  for (const [name, { shape }] of Object.entries(given)) {
    if (formatShape(shape) !== formatShape(expected.shape))
      context.fail(`${name} is ${formatShape(shape)}, but ${pool} gives ${formatShape(expected.shape)}`);
  }
}

/** The window of a pool whose shapes were checked, over [batch, C, ...spatial]. */
export function poolWindow(attributes: Attributes, spatial: readonly Dimension[]): SlidingWindow {
  return checkedWindow(attributes, attributes.ints("kernel_shape"), spatial);
}

/** The pool's own attributes with auto_pad worked out. */
export function explicitPool(attributes: Attributes, spatial: readonly Dimension[]): Record<string, Attribute> {
  return {
    ...windowToAttributes(poolWindow(attributes, spatial)),
    kernel_shape: attributes.ints("kernel_shape"),
    ceil_mode: attributes.int("ceil_mode"),
  };
}

/** The type of a pool over all of [batch, C, ...spatial]: each spatial axis stays with size 1. @throws GRAPH_SHAPE */
export function typedGlobalPool(context: InferContext): ValueType {
  const { dtype, shape } = typed(context, 0, floatTypes);
  if (shape.length < 3) context.fail(`needs [batch, channels, ...spatial], not rank ${shape.length}`);
  staticSizes(context, shape.slice(2), "a spatial axis");
  return { dtype, shape: shape.map((size, axis) => (axis < 2 ? size : 1)) };
}

/** The spatial axes of [batch, C, ...spatial]. */
export function spatialAxes({ shape }: ValueType): readonly number[] {
  return [...shape.keys()].slice(2);
}
