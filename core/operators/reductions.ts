import type { Dimension } from "../graph/graph.ts";
import { toNumbers, type DType } from "../tensor.ts";
import { dtypeCodes } from "./cast.ts";
import { asNumber, broadcastTo, countAlong } from "./gradients.ts";
import type { Attributes, GradientContext, Operator, Value } from "./operator.ts";
import { axesOf, axisOf, floatTypes, isFloat, numberTypes, optionalInts, typed } from "./shapes.ts";

/** The sum over axes (input 1; all of them when it is left out). @see https://onnx.ai/onnx/operators/onnx__ReduceSum.html */
export const reduceSum: Operator = reduction("ReduceSum", (context, dy) => broadcastTo(context.emit, keepAxes(context, dy), context.input(0)));

/** The mean over axes, the batch's too. @see https://onnx.ai/onnx/operators/onnx__ReduceMean.html */
export const reduceMean: Operator = {
  ...reduction("ReduceMean", gradientOfMean, { dtypes: floatTypes }),
  lower(context) {
    const { emit, inputs, input, attributes } = context;
    const options = { keepdims: attributes.int("keepdims"), noop_with_empty_axes: attributes.int("noop_with_empty_axes") };
    const sum = emit.op("ReduceSum", [input(0), inputs[1]], options);
    return [emit.op("Div", [sum, countAlong(emit, input(0), { axes: reducedAxes(context, input(0)), dtype: input(0).dtype })])];
  },
};

function gradientOfMean(context: GradientContext, dy: Value): Value {
  const { emit, input } = context;
  const count = countAlong(emit, input(0), { axes: reducedAxes(context, input(0)), dtype: input(0).dtype });
  return broadcastTo(emit, emit.op("Div", [keepAxes(context, dy), count]), input(0));
}

/** The largest over axes; equal ones share the gradient evenly. @see https://onnx.ai/onnx/operators/onnx__ReduceMax.html */
export const reduceMax: Operator = reduction("ReduceMax", shareAmongEqual);

/** The smallest over axes; equal ones share the gradient evenly. @see https://onnx.ai/onnx/operators/onnx__ReduceMin.html */
export const reduceMin: Operator = reduction("ReduceMin", shareAmongEqual);

/** The place of the largest along `axis`, the first one on ties. @see https://onnx.ai/onnx/operators/onnx__ArgMax.html */
export const argMax: Operator = placeOf("ArgMax");

/** The place of the smallest along `axis`, the first one on ties. @see https://onnx.ai/onnx/operators/onnx__ArgMin.html */
export const argMin: Operator = {
  ...placeOf("ArgMin"),
  lower({ emit, input, attributes }) {
    const x = input(0);
    // -1 - x turns the order of whole numbers round without leaving their range, where -x would at the lowest one.
    const wide = x.dtype === "uint8" ? emit.op("Cast", [x], { to: dtypeCodes.int32 }) : x;
    const turned = isFloat(x.dtype) ? emit.op("Neg", [x]) : emit.op("Sub", [emit.scalar(-1, wide.dtype), wide]);
    const [axis, keepdims, last] = [attributes.int("axis"), attributes.int("keepdims"), attributes.int("select_last_index")];
    return [emit.op("ArgMax", [turned], { axis, keepdims, select_last_index: last })];
  },
};

function placeOf(name: "ArgMax" | "ArgMin"): Operator {
  return {
    name,
    domain: "",
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axis: { kind: "int", default: 0 }, keepdims: { kind: "int", default: 1 }, select_last_index: { kind: "int", default: 0 } },
    infer(context) {
      const x = typed(context, 0, numberTypes);
      const axis = axisOf(context, context.attributes.int("axis"), x.shape.length);
      if (x.shape[axis] === 0) context.fail(`axis ${axis} is empty: it has no ${name === "ArgMax" ? "largest" : "smallest"} element`);
      return [{ dtype: "int64", shape: withoutAxes(x.shape, [axis], context.attributes) }];
    },
  };
}

/** An operator that reduces axes (input 1; all of them when it is left out) of numbers or, if `dtypes` says so, of floats only. */
export function reduction(
  name: string,
  gradient: ((context: GradientContext, dy: Value) => Value) | undefined,
  { dtypes = numberTypes }: { dtypes?: readonly DType[] } = {},
): Operator {
  return {
    name,
    domain: "",
    inputs: [1, 2],
    outputs: [1, 1],
    attributes: { keepdims: { kind: "int", default: 1 }, noop_with_empty_axes: { kind: "int", default: 0 } },
    infer(context) {
      const x = typed(context, 0, dtypes);
      const axes = chosenAxes(optionalInts(context, 1, "axes"), context.attributes, x.shape.length);
      return [{ dtype: x.dtype, shape: withoutAxes(x.shape, axesOf(context, axes, x.shape.length), context.attributes) }];
    },
    ...(gradient && {
      gradient: (context: GradientContext) => (context.gradients[0] === undefined ? [] : [gradient(context, context.gradients[0])]),
    }),
  };
}

function shareAmongEqual(context: GradientContext, dy: Value): Value {
  const { emit, input, outputs, inputs } = context;
  const y = outputs[0] ?? input(0);
  const winners = asNumber(emit, emit.op("Equal", [input(0), keepAxes(context, y)]), dy);
  const ties = emit.op("ReduceSum", [winners, inputs[1]], { keepdims: 1, noop_with_empty_axes: context.attributes.int("noop_with_empty_axes") });
  return emit.op("Mul", [winners, emit.op("Div", [keepAxes(context, dy), ties])]);
}

/** A reduced value with its axes put back as size 1. */
export function keepAxes(context: GradientContext, reduced: Value): Value {
  const axes = reducedAxes(context, context.input(0));
  if (context.attributes.int("keepdims") === 1 || axes.length === 0) return reduced;
  return context.emit.op("Unsqueeze", [reduced, context.emit.ints(axes)]);
}

/** The axes that a node reduces, counted from the front. */
export function reducedAxes({ attributes, constant }: Pick<GradientContext, "attributes" | "constant">, x: Value): readonly number[] {
  const given = constant(1);
  const axes = chosenAxes(given && toNumbers(given), attributes, x.shape.length);
  return axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)).toSorted((a, b) => a - b);
}

function chosenAxes(given: readonly number[] | undefined, attributes: Attributes, rank: number): readonly number[] {
  if (given !== undefined && given.length > 0) return given;
  return attributes.int("noop_with_empty_axes") === 1 ? [] : Array.from({ length: rank }, (_, i) => i);
}

function withoutAxes(shape: readonly Dimension[], axes: readonly number[], attributes: Attributes): readonly Dimension[] {
  return attributes.int("keepdims") === 1 ? shape.map((size, i) => (axes.includes(i) ? 1 : size)) : shape.filter((_, i) => !axes.includes(i));
}
