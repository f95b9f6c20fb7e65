import { vectorContents } from "./contents.ts";
import { zerosLike } from "./gradients.ts";
import type { InferContext, Operator } from "./operator.ts";
import { alike, axisOf, movableTypes, optionalInts, staticSizes, typed } from "./shapes.ts";

/** Values laid end to end along `axis`. @see https://onnx.ai/onnx/operators/onnx__Concat.html */
export const concat: Operator = {
  name: "Concat",
  domain: "",
  inputs: [1, Infinity],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", required: true } },
  infer(context) {
    const inputs = alike(context, [...context.inputs.keys()], movableTypes);
    const { dtype, shape } = context.input(0);
    const axis = axisOf(context, context.attributes.int("axis"), shape.length);
    for (const input of inputs) {
      if (input.shape.length !== shape.length || input.shape.some((size, i) => i !== axis && size !== shape[i])) {
        context.fail(`inputs differ outside axis ${axis}`);
      }
    }
    if (inputs.length === 1) return [{ dtype, shape }];
    const sizes = staticSizes(
      context,
      inputs.map((input) => input.shape[axis] ?? 1),
      "an axis to lay end to end",
    );
    return [
      {
        dtype,
        shape: shape.with(
          axis,
          sizes.reduce((a, b) => a + b, 0),
        ),
      },
    ];
  },
  contents(context) {
    const parts = context.inputs.map((_, i) => vectorContents(context, i));
    return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? []);
  },
  gradient({ emit, inputs, input, attributes, gradients: [dy], needs }) {
    if (dy === undefined) return [];
    if (inputs.length === 1) return [dy];
    const axis = attributes.int("axis") < 0 ? attributes.int("axis") + dy.shape.length : attributes.int("axis");
    let start = 0;
    return inputs.map((_, i) => {
      const from = start;
      start += Number(input(i).shape[axis]);
      return needs(i) ? emit.op("Slice", [dy, emit.ints([from]), emit.ints([start]), emit.ints([axis])]) : undefined;
    });
  },
};

/** The reverse of Concat: sizes in input 1, or `num_outputs` even ones. @see https://onnx.ai/onnx/operators/onnx__Split.html */
export const split: Operator = {
  name: "Split",
  domain: "",
  inputs: [1, 2],
  outputs: [1, Infinity],
  attributes: { axis: { kind: "int", default: 0 }, num_outputs: { kind: "int" } },
  infer(context) {
    const { dtype, shape } = typed(context, 0, movableTypes);
    const axis = axisOf(context, context.attributes.int("axis"), shape.length);
    const [size = 1] = staticSizes(context, shape.slice(axis, axis + 1), "the axis to split");
    const sizes = splitSizes(context, size);
    if (sizes.length !== context.outputCount) context.fail(`${sizes.length} parts do not fill ${context.outputCount} outputs`);
    if (sizes.reduce((a, b) => a + b, 0) !== size) context.fail(`parts [${sizes.join(", ")}] do not make up axis ${axis} of size ${size}`);
    return sizes.map((part) => ({ dtype, shape: shape.with(axis, part) }));
  },
  gradient({ emit, attributes, outputs, gradients }) {
    const parts = outputs.map((output, i) => gradients[i] ?? zerosLike(emit, output));
    return [emit.op("Concat", parts, { axis: attributes.int("axis") })];
  },
  lower({ emit, input, attributes, outputTypes }) {
    const axis = attributes.int("axis") < 0 ? attributes.int("axis") + input(0).shape.length : attributes.int("axis");
    let start = 0;
    return outputTypes.map(({ shape }) => {
      const from = start;
      start += Number(shape[axis]);
      return emit.op("Slice", [input(0), emit.ints([from]), emit.ints([start]), emit.ints([axis])]);
    });
  },
};

function splitSizes(context: InferContext, size: number): readonly number[] {
  const given = optionalInts(context, 1, "sizes");
  if (given !== undefined) {
    if (given.some((part) => part < 0)) context.fail(`sizes [${given.join(", ")}] cannot be negative`);
    return given;
  }
  if (!context.attributes.has("num_outputs")) context.fail("needs sizes (input 1) or num_outputs");
  const count = context.attributes.int("num_outputs");
  if (count < 1 || count !== context.outputCount) context.fail(`num_outputs ${count} does not go with ${context.outputCount} outputs`);
  // The last part is smaller when the size does not divide.
  const part = Math.ceil(size / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, size - i * part)));
}
