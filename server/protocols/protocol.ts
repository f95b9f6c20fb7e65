import type { Context, Hono } from "hono";
import type { Columns, Predictions } from "../../core/index.ts";
import type { ServerLimits } from "../limits.ts";
import type { PathItem } from "../openapi.ts";
import type { ModelRegistry, ServedModel } from "../registry.ts";

/** What a request carries through the server. */
export interface ServerEnvironment {
  Variables: {
    requestId: string;
    /** The model that the request asks, once it is found: a label of metrics. */
    model: string | undefined;
  };
}

/** The server's application. */
export type ServerApp = Hono<ServerEnvironment>;
/** One request on its way through it. */
export type ServerRequest = Context<ServerEnvironment>;

/** What a protocol may use. */
export interface ProtocolContext {
  readonly registry: ModelRegistry;
  readonly limits: ServerLimits;
  /** Finds the model and notes its name for the metrics. @throws MODEL_NOT_FOUND, MODEL_NOT_READY */
  readonly findModel: (request: ServerRequest, name: string, version?: string) => ServedModel;
  /** The body within its limit. @throws BODY_TOO_LARGE, REQUEST_INVALID */
  readonly readBody: (request: ServerRequest) => Promise<Uint8Array<ArrayBuffer>>;
  /** Runs checked rows, batched with those of other requests. */
  readonly predict: (request: ServerRequest, model: ServedModel, rows: Columns) => Promise<Predictions>;
}

/** One way to ask for predictions over HTTP. Adding one is one new file, its test, and its name in `createServer`. */
export interface Protocol {
  readonly name: string;
  mount(app: ServerApp, context: ProtocolContext): void;
  /** The OpenAPI paths of one model, with its own columns and a real example. */
  describe(model: ServedModel): Readonly<Record<string, PathItem>>;
}
