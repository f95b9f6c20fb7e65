import { EspalierError } from "../../errors.ts";
import { formatShape, type GraphInput } from "../../graph/graph.ts";
import { suggestNames } from "../../nearest.ts";
import type { Tensor, Tensors } from "../../tensor.ts";
import type { OnnxModel, OnnxValue } from "../onnx-model.ts";
import { resolveShapes, type Dimensions } from "./dimensions.ts";

/** An input that got its value for good. */
export interface ConstantInput {
  readonly name: string;
  readonly value: Tensor;
}

/** What the caller decided about a model's inputs. */
export interface InputOptions {
  readonly dimensions: Dimensions;
  readonly constants: Tensors;
}

/**
 * A model's inputs, each with a shape or a value.
 *
 * @throws ARGUMENT_INVALID for constants that do not fit an input, and as `resolveShapes`
 */
export function resolveInputs(model: OnnxModel, { dimensions, constants }: InputOptions): readonly (GraphInput | ConstantInput)[] {
  const inputs = model.inputs.filter(({ name }) => !Object.hasOwn(model.initializers, name)); // old files list their weights as inputs too
  const names = inputs.map(({ name }) => name);
  for (const name of Object.keys(constants)) {
    if (!names.includes(name)) refuse(name, `the model has no input "${name}"${suggestNames(name, names)}`);
  }
  const isConstant = (name: string): boolean => Object.hasOwn(constants, name);
  const shapes = resolveShapes(
    inputs.filter(({ name }) => !isConstant(name)),
    dimensions,
  );
  return inputs.map((input) => {
    const value = isConstant(input.name) ? constants[input.name] : undefined;
    if (value === undefined) return { name: input.name, dtype: input.dtype ?? untyped(input.name), shape: shapes.get(input.name) ?? [] };
    return { name: input.name, value: fitting(input, value) };
  });
}

function fitting({ name, dtype, shape }: OnnxValue, value: Tensor): Tensor {
  const fits =
    shape === undefined || (shape.length === value.shape.length && shape.every((size, i) => typeof size === "string" || size === value.shape[i]));
  if (value.dtype === dtype && fits) return value;
  const wanted = shape === undefined ? "" : ` [${shape.join(", ")}]`;
  return refuse(name, `input "${name}" is ${dtype}${wanted}, but the constant for it is ${value.dtype} ${formatShape(value.shape)}`);
}

function untyped(input: string): never {
  throw new EspalierError("DATA_MALFORMED", `not an ONNX model: input "${input}" has no element type`, { input });
}

function refuse(input: string, message: string): never {
  throw new EspalierError("ARGUMENT_INVALID", `importOnnx: ${message}`, { input });
}
