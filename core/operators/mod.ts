import { sumTo } from "./gradients.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { alike, broadcast, isFloat, numberTypes } from "./shapes.ts";

/**
 * What is left of a over b: with the sign of b (`fmod` 0, whole numbers only) or of a (`fmod` 1).
 *
 * @see https://onnx.ai/onnx/operators/onnx__Mod.html
 */
export const mod: Operator = {
  name: "Mod",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { fmod: { kind: "int", default: 0 } },
  infer(context) {
    const [a, b] = alike(context, [0, 1], numberTypes);
    if (isFloat(context.input(0).dtype) && context.attributes.int("fmod") !== 1) context.fail("floats need the attribute fmod: 1");
    return [{ dtype: context.input(0).dtype, shape: broadcast(context, [a?.shape ?? [], b?.shape ?? []]) }];
  },
  // a - b trunc(a / b): the quotient is constant between its jumps.
  gradient({ emit, input, gradients: [dy], needs }) {
    if (dy === undefined) return [];
    const db = (): Value => emit.op("Neg", [emit.op("Mul", [dy, truncated(emit, emit.op("Div", [input(0), input(1)]))])]);
    return [needs(0) ? sumTo(emit, dy, input(0).shape) : undefined, needs(1) ? sumTo(emit, db(), input(1).shape) : undefined];
  },
  lower({ emit, input, attributes }) {
    const [a, b] = [input(0), input(1)];
    const zero = emit.scalar(0, a.dtype);
    const quotient = emit.op("Div", [a, b]);
    const rest = emit.op("Sub", [a, emit.op("Mul", [isFloat(a.dtype) ? truncated(emit, quotient) : quotient, b])]);
    if (isFloat(a.dtype)) {
      // A quotient that was rounded up to the next whole number leaves a rest of the wrong sign.
      const size = emit.op("Abs", [b]);
      const low = emit.op("And", [emit.op("Less", [rest, zero]), emit.op("Greater", [a, zero])]);
      const high = emit.op("And", [emit.op("Greater", [rest, zero]), emit.op("Less", [a, zero])]);
      const raised = emit.op("Where", [low, emit.op("Add", [rest, size]), rest]);
      return [emit.op("Where", [high, emit.op("Sub", [rest, size]), raised])];
    }
    if (attributes.int("fmod") === 1 || a.dtype === "uint8") return [rest];
    const differ = emit.op("Xor", [emit.op("Less", [rest, zero]), emit.op("Less", [b, zero])]);
    const wrong = emit.op("And", [differ, emit.op("Not", [emit.op("Equal", [rest, zero])])]);
    return [emit.op("Where", [wrong, emit.op("Add", [rest, b]), rest])];
  },
};

/** Cut towards zero. */
function truncated(emit: Emitter, x: Value): Value {
  return emit.op("Mul", [emit.op("Sign", [x]), emit.op("Floor", [emit.op("Abs", [x])])]);
}
