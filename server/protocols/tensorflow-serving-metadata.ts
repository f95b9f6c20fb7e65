import type { InputField } from "../../core/index.ts";
import type { ServedModel } from "../registry.ts";
import { signatureName } from "./tensorflow-serving-request.ts";

/** The model's one signature, as TensorFlow Serving's metadata writes a `SignatureDef`. */
export function signatureDefinition({ manifest: { inputs, target } }: ServedModel): object {
  const outputs: Record<string, object> =
    target.task === "regression"
      ? { prediction: tensorInfo("prediction", "DT_DOUBLE", [-1, ...(target.horizon === undefined ? [] : [target.horizon])]) }
      : {
          prediction: tensorInfo("prediction", target.numeric ? "DT_DOUBLE" : "DT_STRING", [-1]),
          probabilities: tensorInfo("probabilities", "DT_FLOAT", [-1, target.classes.length]),
        };
  return {
    [signatureName]: {
      inputs: Object.fromEntries(inputs.map((field) => [field.name, tensorInfo(field.name, dtypeOf(field), [-1, ...field.shape])])),
      outputs,
      method_name: "tensorflow/serving/predict",
    },
  };
}

function tensorInfo(name: string, dtype: string, shape: readonly number[]): object {
  return { dtype, tensor_shape: { dim: shape.map((size) => ({ size: String(size), name: "" })), unknown_rank: false }, name: `${name}:0` };
}

function dtypeOf(field: InputField): string {
  if (field.kind === "string") return "DT_STRING";
  return field.kind === "tensor" ? "DT_FLOAT" : "DT_DOUBLE";
}
