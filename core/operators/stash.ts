import { dtypeCodes } from "./cast.ts";
import type { Emitter, GradientContext, LowerContext, Value } from "./operator.ts";
import type { DType } from "../tensor.ts";

/**
 * A lowering of an operator with `stash_type` 1: float16 is computed in float32, whose squares do not overflow at 256, and each result rounded to its type.
 *
 * @see https://onnx.ai/onnx/operators/onnx__LayerNormalization.html, stash_type
 */
export function lowerInFloat32(lower: (context: LowerContext) => readonly Value[]): (context: LowerContext) => readonly Value[] {
  return (context) => {
    const { emit, outputTypes } = context;
    if (!context.inputs.some(isHalf)) return lower(context);
    return lower({ ...context, ...widened(emit, context.inputs, context.input) }).map((value, i) => as(emit, value, outputTypes[i]?.dtype));
  };
}

type GradientRule = (context: GradientContext) => readonly (Value | undefined)[];

/** As `lowerInFloat32`, for a gradient; each is of its input's type. */
export function gradientInFloat32(gradient: GradientRule): GradientRule {
  return (context) => {
    const { emit, inputs, outputs, gradients } = context;
    if (!inputs.some(isHalf)) return gradient(context);
    const wide = {
      ...widened(emit, inputs, context.input),
      outputs: outputs.map((value) => as(emit, value, "float32")),
      gradients: gradients.map((value) => value && as(emit, value, "float32")),
    };
    return gradient({ ...context, ...wide }).map((value, i) => value && as(emit, value, inputs[i]?.dtype));
  };
}

function widened(
  emit: Emitter,
  given: readonly (Value | undefined)[],
  required: (index: number) => Value,
): { readonly inputs: readonly (Value | undefined)[]; readonly input: (index: number) => Value } {
  const inputs = given.map((value) => (isHalf(value) ? as(emit, value, "float32") : value));
  return { inputs, input: (index) => inputs[index] ?? required(index) };
}

function as(emit: Emitter, value: Value, dtype: DType | undefined): Value {
  return dtype === undefined || value.dtype === dtype ? value : emit.op("Cast", [value], { to: dtypeCodes[dtype] });
}

function isHalf(value: Value | undefined): value is Value {
  return value?.dtype === "float16";
}
