import { asNumber } from "./gradients.ts";
import { keepAxes, reducedAxes, reduction } from "./reductions.ts";
import type { Emitter, GradientContext, Operator, Value } from "./operator.ts";
import { staticShape } from "./static-shape.ts";

/**
 * The product over axes. Its gradient is right at zeros too; a second derivative takes the places of zeros as fixed.
 *
 * @see https://onnx.ai/onnx/operators/onnx__ReduceProd.html
 */
export const reduceProd: Operator = {
  ...reduction("ReduceProd", productOfOthers),
  lower(context) {
    const { emit, input, attributes } = context;
    const axes = reducedAxes(context, input(0));
    const product = axes.reduce((value, axis) => productAlong(emit, value, axis), input(0));
    if (axes.length === 0) return [emit.op("Identity", [product])];
    return [attributes.int("keepdims") === 1 ? product : emit.op("Squeeze", [product, emit.ints(axes)])];
  },
};

/** dy times the product of all others: of y by x where there is no zero, of the nonzero ones where x is the only zero, 0 beside another zero. */
function productOfOthers(context: GradientContext, dy: Value): Value {
  const { emit, input, inputs, attributes } = context;
  const x = input(0);
  const options = { keepdims: 1, noop_with_empty_axes: attributes.int("noop_with_empty_axes") };
  const zero = emit.scalar(0, x.dtype);
  const one = emit.scalar(1, x.dtype);
  const isZero = emit.op("Equal", [x, zero]);
  const nonzero = emit.op("Where", [isZero, one, x]);
  const product = emit.op("ReduceProd", [nonzero, inputs[1]], options);
  const zeros = emit.op("ReduceSum", [asNumber(emit, isZero, x), inputs[1]], options);
  const among = (count: Value): Value => emit.op("Where", [emit.op("Equal", [zeros, count]), product, zero]);
  const others = emit.op("Where", [isZero, among(one), emit.op("Div", [among(zero), nonzero])]);
  return emit.op("Mul", [keepAxes(context, dy), others]);
}

/** By halves: the first half times the second until one is left. */
function productAlong(emit: Emitter, value: Value, axis: number): Value {
  let product = value;
  const take = (start: number, end: number): Value => emit.op("Slice", [product, emit.ints([start]), emit.ints([end]), emit.ints([axis])]);
  let size = staticShape(value)[axis] ?? 1;
  if (size === 0) return emit.op("Expand", [emit.scalar(1, value.dtype), emit.ints(staticShape(value).with(axis, 1))]);
  while (size > 1) {
    const half = Math.floor(size / 2);
    const halves = emit.op("Mul", [take(0, half), take(half, 2 * half)]);
    product = size % 2 === 0 ? halves : emit.op("Concat", [halves, take(2 * half, size)], { axis });
    size = half + (size % 2);
  }
  return product;
}
