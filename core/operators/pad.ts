import { toNumbers } from "../tensor.ts";
import { sumTo } from "./gradients.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { alike, axesOf, knownInts, movableTypes, numberTypes, optionalInts, typed } from "./shapes.ts";

/**
 * A constant (input 2, or 0) around the value; `pads` (input 1) are all the begins and then all the ends, of `axes` (input 3) or of every axis.
 *
 * A negative pad cuts. The mode is "constant"; others are refused.
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
    if (mode !== "constant") context.fail(`mode "${mode}" is not there; use "constant"`);
    if (context.inputs[2]) {
      alike(context, [0, 2], [...numberTypes, "bool"]);
      if (context.inputs[2].shape.length > 0) context.fail("the constant (input 2) must be a scalar");
    }
    const rank = x.shape.length;
    const axes = axesOf(context, optionalInts(context, 3, "axes") ?? [...x.shape.keys()], rank);
    const pads = knownInts(context, 1, "pads");
    if (pads.length !== 2 * axes.length) context.fail(`${pads.length} pads for ${axes.length} axes: there must be two for each`);
    const shape = x.shape.map((size, axis) => {
      const i = axes.indexOf(axis);
      const added = i < 0 ? 0 : (pads[i] ?? 0) + (pads[i + axes.length] ?? 0);
      if (i >= 0 && size === "batch" && (pads[i] !== 0 || pads[i + axes.length] !== 0)) context.fail("the batch axis cannot be padded");
      if (size === "batch") return size;
      return size + added >= 0 ? size + added : context.fail(`pads cut ${-added} from axis ${axis} of size ${size}`);
    });
    return [{ dtype: x.dtype, shape }];
  },
  // The pads the other way round: cut where there was padding, zeros where there was a cut.
  gradient({ emit, constant, gradients: [dy], needs }) {
    const pads = constant(1);
    if (dy === undefined || pads === undefined) return [];
    const axes = constant(3);
    const dx = padEdges(emit, dy, { pads: toNumbers(pads).map((size) => -size), axes: axes ? toNumbers(axes) : [...dy.shape.keys()] });
    return [dx, undefined, needs(2) ? emit.op("Sub", [sumTo(emit, dy, []), sumTo(emit, dx, [])]) : undefined];
  },
};

/** Zeros around a value where pads are positive, a Slice where they are negative. */
function padEdges(emit: Emitter, value: Value, { pads, axes }: { pads: readonly number[]; axes: readonly number[] }): Value {
  const positive = pads.map((size) => Math.max(size, 0));
  const cut = axes.flatMap((_, i) => ((pads[i] ?? 0) < 0 || (pads[i + axes.length] ?? 0) < 0 ? [i] : []));
  const grown = positive.some((size) => size > 0) ? emit.op("Pad", [value, emit.ints(positive), undefined, emit.ints(axes)]) : value;
  if (cut.length === 0) return grown;
  const starts = cut.map((i) => Math.max(0, -(pads[i] ?? 0)));
  const ends = cut.map((i) => Number(grown.shape.at(axes[i] ?? 0)) - Math.max(0, -(pads[i + axes.length] ?? 0)));
  return emit.op("Slice", [grown, emit.ints(starts), emit.ints(ends), emit.ints(cut.map((i) => axes[i] ?? 0))]);
}
