import { toNumbers } from "../tensor.ts";
import { sumTo } from "./gradients.ts";
import type { GradientContext, InferContext, Operator } from "./operator.ts";
import { padded, unpadded, type PadMode } from "./pad-edges.ts";
import { alike, axesOf, knownInts, movableTypes, optionalInts, typed } from "./shapes.ts";

const modes: readonly string[] = ["constant", "reflect", "edge", "wrap"];

/**
 * Elements around a value: a constant (input 2, or 0) or, by `mode`, a reflection, the edges or the other end; `pads` (input 1) are all the
 * begins and then all the ends, of `axes` (input 3) or of every axis. A negative pad cuts.
 *
 * A reflection takes at most all but one of the axis's elements, wrapping all of them.
 * @see https://onnx.ai/onnx/operators/onnx__Pad.html
 */
export const pad: Operator = {
  name: "Pad",
  domain: "",
  inputs: [2, 4],
  outputs: [1, 1],
  attributes: { mode: { kind: "string", default: "constant" } },
  infer(context) {
    const x = typed(context, 0, movableTypes);
    const mode = context.attributes.string("mode");
    if (!modes.includes(mode)) context.fail(`mode "${mode}" is not there; use ${modes.join(", ")}`);
    if (context.inputs[2]) {
      alike(context, [0, 2], movableTypes);
      if (context.inputs[2].shape.length > 0) context.fail("the constant (input 2) must be a scalar");
    }
    const rank = x.shape.length;
    const axes = axesOf(context, optionalInts(context, 3, "axes") ?? [...x.shape.keys()], rank);
    const pads = knownInts(context, 1, "pads");
    if (pads.length !== 2 * axes.length) context.fail(`${pads.length} pads for ${axes.length} axes: there must be two for each`);
    const shape = x.shape.map((size, axis) => {
      const i = axes.indexOf(axis);
      const [before, after] = i < 0 ? [0, 0] : [pads[i] ?? 0, pads[i + axes.length] ?? 0];
      if (size === "batch") return before === 0 && after === 0 ? size : context.fail("the batch axis cannot be padded");
      if (size + before + after < 0) context.fail(`pads cut ${-before - after} from axis ${axis} of size ${size}`);
      checkReach(context, { axis, size, before, after });
      return size + before + after;
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient(context) {
    const { emit, gradients, needs, attributes } = context;
    const [dy] = gradients;
    if (dy === undefined) return [];
    const mode = modeOf(attributes.string("mode"));
    const dx = padsOf(context).reduceRight((gradient, part) => unpadded(emit, gradient, { ...part, mode }), dy);
    // What is not of x is of the constant.
    const dc = mode === "constant" && needs(2) ? emit.op("Sub", [sumTo(emit, dy, []), sumTo(emit, dx, [])]) : undefined;
    return [dx, undefined, dc];
  },
  lower(context) {
    const { emit, input, inputs, attributes } = context;
    const fill = inputs[2] ?? emit.scalar(0, input(0).dtype);
    const mode = modeOf(attributes.string("mode"));
    const result = padsOf(context).reduce((value, part) => padded(emit, value, { ...part, mode, fill }), input(0));
    return [result === input(0) ? emit.op("Identity", [result]) : result];
  },
};

function checkReach(context: InferContext, { axis, size, before, after }: { axis: number; size: number; before: number; after: number }): void {
  const mode = context.attributes.string("mode");
  if (mode === "constant" || (before <= 0 && after <= 0)) return;
  const kept = size + Math.min(before, 0) + Math.min(after, 0);
  const most = mode === "reflect" ? kept - 1 : mode === "wrap" ? kept : kept > 0 ? Infinity : 0;
  if (Math.max(before, after) > most) {
    context.fail(`mode "${mode}" has ${Math.max(0, most)} elements at most for a pad of axis ${axis}, not ${Math.max(before, after)}`);
  }
}

interface AxisPads {
  readonly axis: number;
  /** The axis's size before padding. */
  readonly size: number;
  readonly before: number;
  readonly after: number;
}

/** The axes whose size changes or whose elements move. */
function padsOf({ input, constant }: Pick<GradientContext, "input" | "constant">): readonly AxisPads[] {
  const { shape } = input(0);
  const pads = numbersOf(constant(1)) ?? [];
  const axes = numbersOf(constant(3)) ?? [...shape.keys()];
  return axes.flatMap((given, i) => {
    const axis = given < 0 ? given + shape.length : given;
    const [before, after] = [pads[i] ?? 0, pads[i + axes.length] ?? 0];
    return before === 0 && after === 0 ? [] : [{ axis, size: Number(shape[axis]), before, after }];
  });
}

function numbersOf(value: Parameters<typeof toNumbers>[0] | undefined): readonly number[] | undefined {
  return value && toNumbers(value);
}

function modeOf(name: string): PadMode {
  return name as PadMode; // the shape rule has compared it with all of them
}
