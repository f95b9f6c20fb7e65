import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPredictor, type Bundle, type Predictor } from "../../core/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import { serve, type RunningServer } from "../../server/node/index.ts";
import { requestSuite } from "../../server/testing/request-suite.ts";
import type { ServedModel } from "../edge/served-model.ts";
import { servedFixture } from "../support/served-fixture.ts";
import { trainServedModel } from "../support/served-model.ts";

const maxBodyBytes = 100_000;
let folder: string;
let bundle: string;
let model: ServedModel;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-serve-"));
  bundle = join(folder, "penguins.safetensors");
  model = await trainServedModel();
  await writeFile(bundle, Buffer.from(model.bundle, "base64"));
  server = await serve({ bundles: [bundle], port: 0, limits: { maxBodyBytes } });
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

requestSuite("over loopback, on Node", async () =>
  servedFixture(model, { fetch: (path, init) => fetch(`${server.url}${path}`, init), maxBodyBytes }),
);

describe("serve", () => {
  const first = (): string => JSON.stringify({ instances: [model.rows[0]] });

  it("has chosen a backend of Node and answers at once", async () => {
    expect(server.models).toEqual([{ name: "penguins", version: model.manifest.version, backend: "onnxruntime" }]);
  });

  it("cuts off a body without a length at the limit, answers 413, and goes on", async () => {
    const { port } = server;
    const outgoing = request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/v1/models/penguins:predict",
      headers: { "transfer-encoding": "chunked" },
    });
    const answered = once(outgoing, "response") as Promise<[{ statusCode: number }]>;
    outgoing.on("error", () => undefined); // the server may close what it does not read
    for (let i = 0; i < 20; i++) outgoing.write(Buffer.alloc(10_000, " "));
    const [{ statusCode }] = await answered;
    expect(statusCode).toBe(413);
    outgoing.destroy();
    expect((await fetch(`${server.url}/v1/models/penguins:predict`, { method: "POST", body: first() })).status).toBe(200);
  });

  it("survives a client that goes away in the middle of its body", async () => {
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write('POST /v1/models/penguins:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"inst');
    socket.destroy();
    await once(socket, "close");
    expect((await fetch(`${server.url}/v1/models/penguins:predict`, { method: "POST", body: first() })).status).toBe(200);
  });

  it("says that a port is in use, and how to choose another", async () => {
    await expect(serve({ bundles: [bundle], port: server.port })).rejects.toMatchObject({
      code: "PORT_IN_USE",
      message: expect.stringContaining(`port ${server.port}`),
    });
  });

  it("names what is wrong with a path", async () => {
    await expect(serve({ bundles: [join(folder, "nothing")], port: 0 })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("nothing"),
    });
    const text = join(folder, "table.csv");
    await writeFile(text, "a,b\n1,2\n");
    await expect(serve({ bundles: [text], port: 0 })).rejects.toMatchObject({ code: expect.stringMatching(/^BUNDLE_(INVALID|CORRUPT)$/) });
    const empty = await mkdtemp(join(tmpdir(), "espalier-empty-"));
    await expect(serve({ bundles: [empty], port: 0 })).rejects.toMatchObject({
      code: "BUNDLE_INVALID",
      message: expect.stringContaining("holds none"),
    });
    await rm(empty, { recursive: true });
    await expect(serve({ bundles: [], port: 0 })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
    await expect(serve({ bundles: [bundle, bundle], port: 0 })).rejects.toMatchObject({
      code: "ARGUMENT_INVALID",
      message: expect.stringContaining("served already"),
    });
  });

  it("answers what is in flight before it closes, and frees its models", async () => {
    let release: (() => void) | undefined;
    let started: (() => void) | undefined;
    let calls = 0;
    let disposed = 0;
    const running = new Promise<void>((resolve) => (started = resolve));
    const openPredictor = async (opened: Bundle): Promise<Predictor> => {
      const predictor = await createPredictor(opened, openReference());
      return {
        ...predictor,
        predict: async (rows) => {
          calls += 1;
          if (calls > 1) {
            started?.();
            await new Promise<void>((resolve) => (release = resolve)); // the warm-up is not held
          }
          return await predictor.predict(rows);
        },
        dispose: async () => {
          disposed += 1;
          await predictor.dispose();
        },
      };
    };
    const slow = await serve({ bundles: [bundle], port: 0, openPredictor });
    const answer = fetch(`${slow.url}/v1/models/penguins:predict`, { method: "POST", body: first() });
    await running;
    const closed = slow.close();
    expect(disposed).toBe(0);
    release?.();
    expect((await answer).status).toBe(200);
    await closed;
    await slow.close();
    expect(disposed).toBe(1);
    await expect(fetch(`${slow.url}/v2`)).rejects.toThrow("fetch failed");
  });
});
