import type { ModelRegistry, ServedModel } from "./registry.ts";

/** JSON Schema 2020-12, as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One operation. @see https://spec.openapis.org/oas/v3.1.0#operation-object */
export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, MediaType>> }>>;
}

/** A body of one content type. */
export interface MediaType {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
}

/** The operations of one path. */
export type PathItem = Readonly<Partial<Record<"get" | "post", Operation>>>;

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/**
 * Describes the server as it is now: every model has paths of its own, with its columns and a request that works as it stands.
 *
 * @param describers give the paths of one model; one for each protocol
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function describeServer(
  registry: ModelRegistry,
  describers: readonly ((model: ServedModel) => Readonly<Record<string, PathItem>>)[],
): OpenApiDocument {
  const latest = new Map(registry.list().map((model) => [model.name, model])); // the last version wins, as in requests without one
  const models = [...latest.values()];
  return {
    openapi: "3.1.0",
    info: {
      title: `Espalier: ${models.map(({ name }) => name).join(", ") || "no models"}`,
      version: models.map(({ version }) => version).join("+") || "0",
      description: "Predictions over the Open Inference Protocol (V2) and TensorFlow Serving's REST API (V1).",
    },
    tags: [
      ...models.map(({ name, manifest }) => ({ name, description: describeModel(manifest) })),
      { name: "server", description: "Health, metrics and documents." },
    ],
    paths: Object.assign({}, ...models.flatMap((model) => describers.map((describe) => describe(model))), serverPaths) as OpenApiDocument["paths"], // each part has this type
    components: { schemas: { Error: errorSchema } },
  };
}

/** The answers that every prediction may get besides its own. */
export const errorResponses: Operation["responses"] = {
  "400": {
    description: "The request is wrong; the message names the field.",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  },
  "413": { description: "The body is over the limit.", content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } },
  "503": {
    description: "The queue is full; try again after Retry-After seconds.",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  },
};

/** A JSON answer. */
export function jsonResponse(description: string, schema: JsonSchema): Operation["responses"] {
  return { "200": { description, content: { "application/json": { schema } } } };
}

const errorSchema: JsonSchema = { type: "object", required: ["error"], properties: { error: { type: "string" } } };

const serverPaths: Readonly<Record<string, PathItem>> = {
  "/v2/health/live": { get: serverOperation("live", "Whether the process answers", { type: "object", properties: { live: { type: "boolean" } } }) },
  "/v2/health/ready": {
    get: serverOperation("ready", "Whether every model can be asked; 503 when not", { type: "object", properties: { ready: { type: "boolean" } } }),
  },
  "/metrics": {
    get: {
      operationId: "metrics",
      tags: ["server"],
      summary: "Measurements in Prometheus' text format",
      responses: { "200": { description: "Metrics", content: { "text/plain": { schema: { type: "string" } } } } },
    },
  },
};

function serverOperation(operationId: string, summary: string, schema: JsonSchema): Operation {
  return { operationId, tags: ["server"], summary, responses: jsonResponse(summary, schema) };
}

function describeModel({ target, metrics, lineage }: ServedModel["manifest"]): string {
  const figures = Object.entries(metrics).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  const what = target.task === "classification" ? `one of ${target.classes.length} classes of "${target.column}"` : `the number "${target.column}"`;
  return `Predicts ${what}; trained on ${lineage.data.rows} rows${figures.length === 0 ? "" : `; on held-out rows: ${figures.join(", ")}`}.`;
}
