import type { InputField } from "../../core/index.ts";
import { errorResponses, jsonResponse, type JsonSchema, type Operation, type PathItem } from "../openapi.ts";
import type { ServedModel } from "../registry.ts";
import { datatypes } from "./datatypes.ts";
import { inputDatatype, outputMetadata } from "./open-inference-metadata.ts";

/** The V2 paths of one model. */
export function describeOpenInference(model: ServedModel): Readonly<Record<string, PathItem>> {
  const path = `/v2/models/${model.name}`;
  return {
    [`${path}/infer`]: { post: inferOperation(model) },
    [path]: { get: metadataOperation(model) },
    [`${path}/ready`]: { get: readyOperation(model) },
  };
}

function inferOperation(model: ServedModel): Operation {
  const outputs = outputMetadata(model);
  return {
    operationId: `${model.name}_infer`,
    tags: [model.name],
    summary: "Predict (Open Inference Protocol V2)",
    description: "Each column is a tensor with the number of rows first. Raw little-endian tensors may follow the JSON (binary tensor extension).",
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object",
            required: ["inputs"],
            properties: {
              id: { type: "string" },
              parameters: { type: "object" },
              inputs: { type: "array", items: { anyOf: model.manifest.inputs.map(inputSchema) } },
              outputs: {
                type: "array",
                items: { type: "object", required: ["name"], properties: { name: { enum: outputs.map(({ name }) => name) } } },
              },
            },
          },
          examples: {
            row: {
              summary: "One row",
              value: { inputs: model.manifest.inputs.map((field) => exampleTensor(field, model.manifest.example[field.name])) },
            },
          },
        },
      },
    },
    responses: {
      ...jsonResponse("One element a row in every output.", {
        type: "object",
        required: ["model_name", "outputs"],
        properties: {
          model_name: { const: model.name },
          model_version: { type: "string" },
          id: { type: "string" },
          outputs: {
            type: "array",
            items: {
              type: "object",
              properties: {
                name: { enum: outputs.map(({ name }) => name) },
                datatype: { type: "string" },
                shape: { type: "array", items: { type: "integer" } },
                data: { type: "array" },
              },
            },
          },
        },
      }),
      ...errorResponses,
    },
  };
}

function inputSchema(field: InputField): JsonSchema {
  const element: JsonSchema = { type: [field.kind === "string" ? "string" : "number", ...(field.optional ? ["null"] : [])] };
  return {
    title: field.name,
    type: "object",
    required: ["name", "datatype", "shape"],
    properties: {
      name: { const: field.name },
      datatype: { enum: datatypes.filter(({ kind }) => (kind === "bytes") === (field.kind === "string")).map(({ name }) => name) },
      shape: { type: "array", items: { type: "integer", minimum: 1 }, description: `[rows${field.shape.map((size) => `, ${size}`).join("")}]` },
      data: { type: "array", items: field.kind === "tensor" ? {} : element },
      parameters: { type: "object" },
    },
  };
}

function exampleTensor(field: InputField, value: unknown): JsonSchema {
  const data = Array.isArray(value) ? (value as unknown[]).flat(8) : [value ?? null];
  return { name: field.name, datatype: inputDatatype(field), shape: [1, ...field.shape], data };
}

function metadataOperation({ name }: ServedModel): Operation {
  return {
    operationId: `${name}_metadata`,
    tags: [name],
    summary: "Inputs and outputs (V2)",
    responses: jsonResponse("The model's tensors.", {
      type: "object",
      required: ["name", "platform", "inputs", "outputs"],
      properties: { name: { const: name } },
    }),
  };
}

function readyOperation({ name }: ServedModel): Operation {
  return {
    operationId: `${name}_ready`,
    tags: [name],
    summary: "Whether the model can be asked",
    responses: jsonResponse("The model answers.", {
      type: "object",
      required: ["name", "ready"],
      properties: { name: { const: name }, ready: { type: "boolean" } },
    }),
  };
}
