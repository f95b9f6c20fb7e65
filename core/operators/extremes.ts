import { asNumber, sumTo } from "./gradients.ts";
import type { GradientContext, LowerContext, Operator, Value } from "./operator.ts";
import { alike, broadcast, numberTypes, typed } from "./shapes.ts";

/** The largest of one or more values; equal ones share the gradient evenly. @see https://onnx.ai/onnx/operators/onnx__Max.html */
export const max: Operator = extreme("Max");

/** The smallest of one or more values; equal ones share the gradient evenly. @see https://onnx.ai/onnx/operators/onnx__Min.html */
export const min: Operator = extreme("Min");

function extreme(name: "Max" | "Min"): Operator {
  return {
    name,
    domain: "",
    inputs: [1, Infinity],
    outputs: [1, 1],
    attributes: {},
    infer(context) {
      const inputs = alike(context, [...context.inputs.keys()], numberTypes);
      return [
        {
          dtype: context.input(0).dtype,
          shape: broadcast(
            context,
            inputs.map((input) => input.shape),
          ),
        },
      ];
    },
    gradient: shareAmongEqual,
    lower: ({ emit, inputs, input }: LowerContext) => [
      // Backends have the operator of two inputs at least; a longer one is a chain of them.
      inputs.length === 1
        ? emit.op("Identity", [input(0)])
        : inputs.slice(1).reduce<Value>((result, next) => choose(name, { emit, result, next: next ?? input(0) }), input(0)),
    ],
  };
}

function choose(name: "Max" | "Min", { emit, result, next }: { emit: LowerContext["emit"]; result: Value; next: Value }): Value {
  const wins = name === "Max" ? emit.op("GreaterOrEqual", [result, next]) : emit.op("LessOrEqual", [result, next]);
  return emit.op("Where", [wins, result, next]);
}

function shareAmongEqual({ emit, inputs, input, outputs, gradients, needs }: GradientContext): readonly (Value | undefined)[] {
  const [y] = outputs;
  const [dy] = gradients;
  if (y === undefined || dy === undefined) return [];
  const winners = inputs.map((_, i) => asNumber(emit, emit.op("Equal", [input(i), y]), y));
  const count = winners.reduce((a, b) => emit.op("Add", [a, b]));
  const share = emit.op("Div", [dy, count]);
  return winners.map((winner, i) => (needs(i) ? sumTo(emit, emit.op("Mul", [share, winner]), input(i).shape) : undefined));
}

/**
 * x kept between two optional scalars; the gradient passes where x is inside, both ends included.
 *
 * @see https://onnx.ai/onnx/operators/onnx__Clip.html
 */
export const clip: Operator = {
  name: "Clip",
  domain: "",
  inputs: [1, 3],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const x = typed(context, 0, numberTypes);
    for (const index of [1, 2]) {
      const bound = context.inputs[index];
      if (bound === undefined) continue;
      if (bound.shape.length > 0) context.fail(`input ${index} must be a scalar`);
      alike(context, [0, index], numberTypes);
    }
    return [x];
  },
  gradient({ emit, input, inputs, outputs, gradients, needs }) {
    const [y] = outputs;
    const [dy] = gradients;
    if (y === undefined || dy === undefined) return [];
    const x = input(0);
    const outside = (index: number, operator: "Less" | "Greater"): Value | undefined => {
      const bound = inputs[index];
      if (bound === undefined || !needs(index)) return undefined;
      return sumTo(emit, emit.op("Mul", [dy, asNumber(emit, emit.op(operator, [x, bound]), x)]), []);
    };
    const dx = needs(0) ? emit.op("Mul", [dy, asNumber(emit, emit.op("Equal", [x, y]), x)]) : undefined;
    return [dx, outside(1, "Less"), outside(2, "Greater")];
  },
  lower({ emit, input, inputs }) {
    const raised = inputs[1] ? emit.op("Max", [input(0), inputs[1]]) : input(0);
    return [inputs[2] ? emit.op("Min", [raised, inputs[2]]) : emit.op("Identity", [raised])];
  },
};
