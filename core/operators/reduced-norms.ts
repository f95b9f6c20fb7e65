import { keepAxes, reducedAxes, reduction } from "./reductions.ts";
import type { GradientContext, LowerContext, Operator, Value } from "./operator.ts";
import { axisOf, floatTypes, typed } from "./shapes.ts";

/** The sum of |x| over axes. @see https://onnx.ai/onnx/operators/onnx__ReduceL1.html */
export const reduceL1: Operator = {
  ...reduction("ReduceL1", undefined, { dtypes: floatTypes }),
  lower: (context) => [overAxes(context, "ReduceSum", context.emit.op("Abs", [context.input(0)]))],
};

/** The square root of the sum of squares over axes; its gradient is 0 where all of them are 0. @see https://onnx.ai/onnx/operators/onnx__ReduceL2.html */
export const reduceL2: Operator = {
  ...reduction("ReduceL2", gradientOfL2, { dtypes: floatTypes }),
  lower: (context) => [context.emit.op("Sqrt", [overAxes(context, "ReduceSumSquare", context.input(0))])],
};

/** The logarithm of the sum over axes. @see https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html */
export const reduceLogSum: Operator = {
  ...reduction("ReduceLogSum", undefined, { dtypes: floatTypes }),
  lower: (context) => [context.emit.op("Log", [overAxes(context, "ReduceSum", context.input(0))])],
};

/** The sum of squares over axes. @see https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html */
export const reduceSumSquare: Operator = {
  ...reduction("ReduceSumSquare", undefined, { dtypes: floatTypes }),
  lower: (context) => [overAxes(context, "ReduceSum", context.emit.op("Mul", [context.input(0), context.input(0)]))],
};

/** The logarithm of the sum of e^x over axes, without its overflow. @see https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html */
export const reduceLogSumExp: Operator = {
  // dx = dy e^(x - y): the share of each.
  ...reduction(
    "ReduceLogSumExp",
    (context, dy) => {
      const { emit, input, outputs } = context;
      const share = emit.op("Exp", [emit.op("Sub", [input(0), keepAxes(context, outputs[0] ?? dy)])]);
      return emit.op("Mul", [keepAxes(context, dy), share]);
    },
    { dtypes: floatTypes },
  ),
  lower(context) {
    const { emit, input, inputs } = context;
    const noop = context.attributes.int("noop_with_empty_axes");
    const found = emit.op("ReduceMax", [input(0), inputs[1]], { keepdims: 1, noop_with_empty_axes: noop });
    // Infinity minus infinity is no number: without a finite largest one nothing needs to be taken off.
    const isInfinite = emit.op("Equal", [emit.op("Abs", [found]), emit.scalar(Infinity, found.dtype)]);
    const largest = emit.op("Where", [isInfinite, emit.scalar(0, found.dtype), found]);
    const sum = emit.op("ReduceSum", [emit.op("Exp", [emit.op("Sub", [input(0), largest])]), inputs[1]], { keepdims: 1, noop_with_empty_axes: noop });
    const kept = emit.op("Add", [emit.op("Log", [sum]), largest]);
    const axes = reducedAxes(context, input(0));
    return [context.attributes.int("keepdims") === 1 || axes.length === 0 ? kept : emit.op("Squeeze", [kept, emit.ints(axes)])];
  },
};

/** x over its L1 (`p` 1) or L2 norm (`p` 2) along `axis`; 0 where the norm is 0. @see https://onnx.ai/onnx/operators/onnx__LpNormalization.html */
export const lpNormalization: Operator = {
  name: "LpNormalization",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: -1 }, p: { kind: "int", default: 2 } },
  infer(context) {
    const x = typed(context, 0, floatTypes);
    axisOf(context, context.attributes.int("axis"), x.shape.length);
    if (![1, 2].includes(context.attributes.int("p"))) context.fail(`p must be 1 or 2, not ${context.attributes.int("p")}`);
    return [x];
  },
  lower({ emit, input, attributes }) {
    const x = input(0);
    const norm = emit.op(attributes.int("p") === 1 ? "ReduceL1" : "ReduceL2", [x, emit.ints([attributes.int("axis")])], { keepdims: 1 });
    return [emit.op("Div", [x, orOne(emit, norm)])];
  },
};

function overAxes({ emit, inputs, attributes }: LowerContext, operator: string, value: Value): Value {
  return emit.op(operator, [value, inputs[1]], {
    keepdims: attributes.int("keepdims"),
    noop_with_empty_axes: attributes.int("noop_with_empty_axes"),
  });
}

function gradientOfL2(context: GradientContext, dy: Value): Value {
  const { emit, input, outputs } = context;
  const share = emit.op("Div", [keepAxes(context, dy), orOne(emit, keepAxes(context, outputs[0] ?? dy))]);
  return emit.op("Mul", [input(0), share]);
}

/** A divisor with 1 for 0: what it divides is 0 there. */
function orOne(emit: LowerContext["emit"], value: Value): Value {
  return emit.op("Where", [emit.op("Equal", [value, emit.scalar(0, value.dtype)]), emit.scalar(1, value.dtype), value]);
}
