import type { InputField } from "../../core/index.ts";
import { classValues } from "../answers.ts";
import type { ServedModel } from "../registry.ts";

/** One tensor of a model's metadata; -1 stands for the number of rows. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters?: Readonly<Record<string, string | boolean>>;
}

/** A model's raw columns as V2 tensors. */
export function inputMetadata({ manifest }: ServedModel): TensorMetadata[] {
  return manifest.inputs.map((field) => ({
    name: field.name,
    datatype: inputDatatype(field),
    shape: [-1, ...field.shape],
    ...(field.optional ? { parameters: { optional: true } } : {}),
  }));
}

/** The datatype that metadata and examples show; requests may send any numeric one for a number. */
export function inputDatatype(field: InputField): string {
  if (field.kind === "string") return "BYTES";
  return field.kind === "tensor" ? "FP32" : "FP64";
}

/** `prediction`, and for classification `probabilities`, whose parameter `classes` is a JSON list of the classes in their order. */
export function outputMetadata({ manifest }: ServedModel): TensorMetadata[] {
  const { target } = manifest;
  if (target.task === "regression")
    return [{ name: "prediction", datatype: "FP64", shape: [-1, ...(target.horizon === undefined ? [] : [target.horizon])] }];
  const values = classValues(target.classes, target);
  const datatype = target.numeric ? (values.every((value) => Number.isSafeInteger(value)) ? "INT64" : "FP64") : "BYTES";
  return [
    { name: "prediction", datatype, shape: [-1] },
    { name: "probabilities", datatype: "FP32", shape: [-1, target.classes.length], parameters: { classes: JSON.stringify(target.classes) } },
  ];
}
