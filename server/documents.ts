import { describeServer } from "./openapi.ts";
import { docsPage } from "./pages/docs-page.ts";
import { prometheusContentType } from "./prometheus.ts";
import type { Protocol, ProtocolContext, ServerApp } from "./protocols/protocol.ts";
import type { ServedModel } from "./registry.ts";
import type { Telemetry } from "./telemetry.ts";

/** Everything that describes the server and its models: the list, cards, the OpenAPI document, its page, metrics. */
export function mountDocuments(
  app: ServerApp,
  { context, telemetry, protocols }: { context: ProtocolContext; telemetry: Telemetry; protocols: readonly Protocol[] },
): void {
  const { registry } = context;
  const describe = (): ReturnType<typeof describeServer> =>
    describeServer(
      registry,
      protocols.map((protocol) => (model: ServedModel) => protocol.describe(model)),
    );
  app.get("/healthz", (c) => c.json({ status: registry.ready ? "ready" : "loading" }, registry.ready ? 200 : 503));
  app.get("/models", (c) =>
    c.json({ models: registry.list().map(({ name, version, backend, manifest }) => ({ name, version, backend, task: manifest.target.task })) }),
  );
  app.get("/models/:model/card", (c) => c.json(modelCard(context.findModel(c, c.req.param("model")))));
  app.get("/openapi.json", (c) => c.json(describe()));
  app.get("/docs", (c) => c.html(docsPage(describe())));
  app.get("/metrics", (c) => c.body(telemetry.render(registry), 200, { "content-type": prometheusContentType }));
}

/** What a person wants to know of a model: its manifest without graph and weights. */
function modelCard({ manifest, backend }: ServedModel): object {
  const { graph: _graph, tensors, digest: _digest, ...card } = manifest;
  const parameters = Object.values(tensors).reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return { ...card, parameters, backend };
}
