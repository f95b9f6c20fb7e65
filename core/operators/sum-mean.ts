import type { LowerContext, Operator, Value } from "./operator.ts";
import { alike, broadcast, floatTypes } from "./shapes.ts";

/** One or more values added up under broadcasting. @see https://onnx.ai/onnx/operators/onnx__Sum.html */
export const sum: Operator = variadic("Sum", addAll);

/** One or more values added up under broadcasting, over their number. @see https://onnx.ai/onnx/operators/onnx__Mean.html */
export const mean: Operator = variadic("Mean", (context) =>
  context.emit.op("Div", [addAll(context), context.emit.scalar(context.inputs.length, context.input(0).dtype)]),
);

function variadic(name: string, lower: (context: LowerContext) => Value): Operator {
  return {
    name,
    domain: "",
    inputs: [1, Infinity],
    outputs: [1, 1],
    attributes: {},
    infer(context) {
      const shapes = alike(context, [...context.inputs.keys()], floatTypes).map((input) => input.shape);
      return [{ dtype: context.input(0).dtype, shape: broadcast(context, shapes) }];
    },
    lower: (context) => [lower(context)],
  };
}

function addAll({ emit, inputs, input }: LowerContext): Value {
  const [, ...others] = inputs.map((_, i) => input(i));
  return others.length === 0 ? emit.op("Identity", [input(0)]) : others.reduce((total, next) => emit.op("Add", [total, next]), input(0));
}
