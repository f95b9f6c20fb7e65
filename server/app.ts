import { Hono } from "hono";
import { cors } from "hono/cors";
import { routePath } from "hono/route";
import { EspalierError } from "../core/index.ts";
import { answerRows } from "./answers.ts";
import type { AssetSource } from "./assets.ts";
import { readBody } from "./body.ts";
import { platformClock, type Clock } from "./clock.ts";
import { mountDocuments } from "./documents.ts";
import { errorCodeHeader, failureResponse, toFailure } from "./failure.ts";
import { resolveLimits, type ServerLimits } from "./limits.ts";
import { mountPages } from "./pages/pages.ts";
import { headerLengthName } from "./protocols/binary-tensors.ts";
import { openInference } from "./protocols/open-inference.ts";
import type { Protocol, ProtocolContext, ServerApp, ServerEnvironment } from "./protocols/protocol.ts";
import { tensorflowServing } from "./protocols/tensorflow-serving.ts";
import type { ModelRegistry } from "./registry.ts";
import { createTelemetry, type Telemetry } from "./telemetry.ts";

/** What a server is made of. Only the registry is required. */
export interface ServerOptions {
  readonly registry: ModelRegistry;
  readonly limits?: Partial<ServerLimits>;
  /** The same telemetry must be given to the registry (`onBatch: telemetry.batchRun`) for its batches to be counted. */
  readonly telemetry?: Telemetry;
  readonly clock?: Clock;
  /** Built pages: `index.html` is the page at `/`, `demos/...` the demos. Without it a plain form stands at `/`. */
  readonly assets?: AssetSource;
  readonly protocols?: readonly Protocol[];
  /** Names requests that come without an `x-request-id`. */
  readonly createRequestId?: () => string;
  /** Hears of every answer with a status from 500 on: clients are told less. */
  readonly onFailure?: (error: unknown, request: { readonly id: string; readonly method: string; readonly path: string }) => void;
  /** Which pages of other sites may call; default every one, as answers depend on nothing but the request. */
  readonly allowOrigin?: string | readonly string[];
}

/** The protocols that every server speaks. */
export const defaultProtocols: readonly Protocol[] = [tensorflowServing, openInference];

/**
 * The server as one portable application: it needs `fetch`'s types and nothing else, and runs on Node, in an edge worker and in a test.
 *
 * @throws ARGUMENT_INVALID for a limit out of range
 * @example const app = createServer({ registry }); const response = await app.request("/v2/health/ready");
 */
export function createServer(options: ServerOptions): ServerApp {
  const { registry, clock = platformClock, telemetry = createTelemetry(), protocols = defaultProtocols, allowOrigin = "*" } = options;
  const { createRequestId = () => crypto.randomUUID(), onFailure } = options;
  const limits = resolveLimits(options.limits);
  const app = new Hono<ServerEnvironment>();

  app.use(async (c, next) => {
    const started = clock.now();
    const asked = c.req.header("x-request-id");
    const id = asked !== undefined && /^[\w.:-]{1,128}$/.test(asked) ? asked : createRequestId();
    c.set("requestId", id);
    telemetry.requestStarted();
    try {
      await next();
    } finally {
      c.header("x-request-id", id);
      const route = routePath(c, -1);
      telemetry.requestEnded({
        method: knownMethods.has(c.req.method) ? c.req.method : "other",
        route: route === "*" || route === "/*" ? "other" : route,
        status: c.res.status,
        model: c.get("model"),
        durationMs: clock.now() - started,
      });
    }
  });
  app.use(
    cors({
      origin: typeof allowOrigin === "string" ? allowOrigin : [...allowOrigin],
      exposeHeaders: ["x-request-id", errorCodeHeader, headerLengthName],
    }),
  );

  const context: ProtocolContext = {
    registry,
    limits,
    findModel: (c, name, version) => {
      const model = registry.find(name, version);
      c.set("model", model.name);
      return model;
    },
    readBody: (c) => readBody(c.req.raw, { maxBytes: limits.maxBodyBytes }),
    predict: (c, model, rows) => answerRows(model, rows, { limits, signal: c.req.raw.signal }),
  };
  for (const protocol of protocols) protocol.mount(app, context);
  mountDocuments(app, { context, telemetry, protocols });
  mountPages(app, { registry, ...(options.assets === undefined ? {} : { assets: options.assets }) });
  refuseOtherMethods(app);

  app.notFound(() => failureResponse({ status: 404, code: "REQUEST_INVALID", message: "nothing is here; /docs lists every address of this server" }));
  app.onError((error, c) => {
    const failure = toFailure(error);
    if (failure.status >= 500 && !isExpected(error)) onFailure?.(error, { id: c.get("requestId"), method: c.req.method, path: c.req.path });
    return failureResponse(failure);
  });
  return app;
}

const knownMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** A path that exists answers 405 to a method that it does not take, and says which it does. */
function refuseOtherMethods(app: ServerApp): void {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === "ALL") continue;
    methods.set(path, (methods.get(path) ?? new Set()).add(method));
  }
  for (const [path, known] of methods) {
    const allowed = [...known, ...(known.has("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
    app.all(path, (c) => {
      const response = failureResponse({ status: 405, code: "REQUEST_INVALID", message: `${c.req.method} is not possible here; use ${allowed}` });
      response.headers.set("allow", allowed);
      return response;
    });
  }
}

/** A full queue and a model that still loads are states, not defects: nobody reads of them in a log. */
function isExpected(error: unknown): boolean {
  return error instanceof EspalierError && (error.code === "SERVER_BUSY" || error.code === "MODEL_NOT_READY");
}
