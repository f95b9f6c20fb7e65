import type { InputField, Manifest } from "../../core/index.ts";
import { errorResponses, jsonResponse, type JsonSchema, type Operation, type PathItem } from "../openapi.ts";
import type { ServedModel } from "../registry.ts";
import { signatureName } from "./tensorflow-serving-request.ts";

/** The V1 paths of one model. */
export function describeTensorflowServing(model: ServedModel): Readonly<Record<string, PathItem>> {
  const path = `/v1/models/${model.name}`;
  return {
    [`${path}:predict`]: { post: predictOperation(model) },
    [`${path}/metadata`]: {
      get: {
        operationId: `${model.name}_signature`,
        tags: [model.name],
        summary: "Signature (V1)",
        responses: jsonResponse("The model's signature.", { type: "object", required: ["model_spec", "metadata"] }),
      },
    },
  };
}

function predictOperation({ name, manifest }: ServedModel): Operation {
  const { inputs, example, target } = manifest;
  const row: JsonSchema = {
    type: "object",
    required: inputs.filter(({ optional }) => !optional).map((field) => field.name),
    properties: Object.fromEntries(inputs.map((field) => [field.name, cellSchema(field)])),
  };
  const columns: JsonSchema = {
    type: "object",
    properties: Object.fromEntries(inputs.map((field) => [field.name, { type: "array", items: cellSchema(field) }])),
  };
  const signature: JsonSchema = { enum: [signatureName, ""] };
  const raw = Object.fromEntries(inputs.map((field) => [field.name, example[field.name] ?? null]));
  return {
    operationId: `${name}_predict`,
    tags: [name],
    summary: "Predict (TensorFlow Serving V1)",
    description: `Rows as objects in "instances", answered by "predictions"; or columns as lists in "inputs", answered by "outputs". Columns that "${name}" does not take are ignored.`,
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: {
            oneOf: [
              {
                type: "object",
                required: ["instances"],
                properties: { instances: { type: "array", minItems: 1, items: row }, signature_name: signature },
              },
              { type: "object", required: ["inputs"], properties: { inputs: columns, signature_name: signature } },
            ],
          },
          examples: {
            row: { summary: "One row", value: { instances: [raw] } },
            columns: { summary: "Columns", value: { inputs: Object.fromEntries(Object.entries(raw).map(([column, value]) => [column, [value]])) } },
          },
        },
      },
    },
    responses: { ...jsonResponse("One prediction a row.", answerSchema(target)), ...errorResponses },
  };
}

function answerSchema(target: Manifest["target"]): JsonSchema {
  if (target.task === "regression") {
    const value: JsonSchema = { type: "number", title: target.column };
    const { horizon } = target;
    const items: JsonSchema = horizon === undefined ? value : { type: "array", items: value, minItems: horizon, maxItems: horizon };
    const values: JsonSchema = { type: "array", items };
    return { type: "object", properties: { predictions: values, outputs: values } };
  }
  const prediction: JsonSchema = { enum: target.numeric ? target.classes.map(Number) : target.classes };
  const probability: JsonSchema = { type: "number", minimum: 0, maximum: 1 };
  const probabilities: JsonSchema = { type: "object", properties: Object.fromEntries(target.classes.map((name) => [name, probability])) };
  return {
    type: "object",
    properties: {
      predictions: { type: "array", items: { type: "object", required: ["prediction", "probabilities"], properties: { prediction, probabilities } } },
      outputs: {
        type: "object",
        properties: {
          prediction: { type: "array", items: prediction },
          probabilities: {
            type: "array",
            items: { type: "array", items: probability, minItems: target.classes.length, maxItems: target.classes.length },
          },
        },
      },
    },
  };
}

function cellSchema(field: InputField): JsonSchema {
  const type = (name: string): unknown => (field.optional ? [name, "null"] : name);
  switch (field.kind) {
    case "number":
      return field.range === undefined
        ? { type: type("number") }
        : { type: type("number"), description: `In training from ${field.range[0]} to ${field.range[1]}.` };
    case "string":
      return field.categories === undefined ? { type: type("string") } : { type: type("string"), examples: field.categories.slice(0, 20) };
    case "tensor":
      return { type: "array", description: `Numbers of shape [${field.shape.join(", ")}], nested or flat.` };
    default:
      return field.kind satisfies never;
  }
}
