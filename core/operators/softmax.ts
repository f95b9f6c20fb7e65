import type { Emitter, LowerContext, Operator, Value } from "./operator.ts";
import { axisOf, floatTypes, typed } from "./shapes.ts";

/** e^x over its sum along `axis`. @see https://onnx.ai/onnx/operators/onnx__Softmax.html */
export const softmax: Operator = {
  ...alongAxis("Softmax"),
  // dx = y (dy - sum(y dy))
  gradient({ emit, attributes, outputs: [y], gradients: [dy] }) {
    if (y === undefined || dy === undefined) return [];
    const mean = sumAlong(emit, emit.op("Mul", [dy, y]), attributes.int("axis"));
    return [emit.op("Mul", [y, emit.op("Sub", [dy, mean])])];
  },
  lower(context) {
    const exponentials = context.emit.op("Exp", [centred(context)]);
    return [context.emit.op("Div", [exponentials, sumAlong(context.emit, exponentials, context.attributes.int("axis"))])];
  },
};

/** The logarithm of softmax, without its overflow. @see https://onnx.ai/onnx/operators/onnx__LogSoftmax.html */
export const logSoftmax: Operator = {
  ...alongAxis("LogSoftmax"),
  // dx = dy - softmax sum(dy)
  gradient({ emit, attributes, outputs: [y], gradients: [dy] }) {
    if (y === undefined || dy === undefined) return [];
    const total = sumAlong(emit, dy, attributes.int("axis"));
    return [emit.op("Sub", [dy, emit.op("Mul", [emit.op("Exp", [y]), total])])];
  },
  lower(context) {
    const { emit, attributes } = context;
    const shifted = centred(context);
    return [emit.op("Sub", [shifted, emit.op("Log", [sumAlong(emit, emit.op("Exp", [shifted]), attributes.int("axis"))])])];
  },
};

function alongAxis(name: string): Operator {
  return {
    name,
    domain: "",
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axis: { kind: "int", default: -1 } },
    infer(context) {
      const x = typed(context, 0, floatTypes);
      axisOf(context, context.attributes.int("axis"), x.shape.length);
      return [x];
    },
  };
}

/** x minus its maximum along the axis: its exponentials cannot overflow. */
function centred({ emit, input, attributes }: LowerContext): Value {
  const largest = emit.op("ReduceMax", [input(0), emit.ints([attributes.int("axis")])], { keepdims: 1 });
  return emit.op("Sub", [input(0), largest]);
}

function sumAlong(emit: Emitter, value: Value, axis: number): Value {
  return emit.op("ReduceSum", [value, emit.ints([axis])], { keepdims: 1 });
}
