import { describe, expect, it } from "vitest";
import { EspalierError } from "../core/index.ts";
import { createServer, type ServerOptions } from "./app.ts";
import { createModelRegistry } from "./registry.ts";
import { requestSuite } from "./testing/request-suite.ts";
import type { RequestSuiteFixture } from "./testing/requests.ts";
import { createScriptedPredictor, scoreRow, type ScriptedPredictorOptions } from "./testing/scripted-predictor.ts";
import { columnsFromRows } from "../core/index.ts";

const rows = [
  { width: 2, height: 1, colour: "red" },
  { width: 1.5, height: null, colour: "blue" },
  { width: 4, height: -3, colour: "green" },
];

const maxBodyBytes = 20_000;

function serve(options: ScriptedPredictorOptions = {}, server: Partial<ServerOptions> = {}) {
  const registry = createModelRegistry();
  const predictor = createScriptedPredictor(options);
  registry.add(predictor);
  const app = createServer({ registry, limits: { maxBodyBytes }, ...server });
  return { predictor, registry, fetch: async (path: string, init?: RequestInit): Promise<Response> => await app.request(path, init) };
}

async function fixture(): Promise<RequestSuiteFixture> {
  const { predictor, fetch } = serve();
  const { manifest } = predictor;
  const columns = columnsFromRows(rows, manifest.inputs);
  const classes = ["circle", "square", "star"];
  // The scripted predictor's rule, written out again: half for the class of the rounded score, a quarter for the others.
  const labels = Int32Array.from(rows, (_, row) => Math.abs(Math.round(scoreRow(columns, row))) % 3);
  const probabilities = Float32Array.from([...labels].flatMap((label) => classes.map((_, i) => (i === label ? 0.5 : 0.25))));
  return { fetch, manifest, rows, maxBodyBytes, expected: { task: "classification", classes, labels, probabilities } };
}

requestSuite("the application", fixture);

const predict = (fetch: RequestSuiteFixture["fetch"], body: unknown): Promise<Response> =>
  fetch("/v1/models/shapes:predict", { method: "POST", body: JSON.stringify(body) });

describe("createServer", () => {
  it("answers plain numbers for a regression", async () => {
    const { fetch } = serve({ target: { task: "regression", column: "price", mean: 0, standardDeviation: 1 } });
    expect(await (await predict(fetch, { instances: [rows[0]] })).json()).toEqual({ predictions: [6] }); // 2 + 1 + "red".length
    expect(await (await predict(fetch, { inputs: { width: [2], colour: ["red"] } })).json()).toEqual({ outputs: [105] }); // a missing number counts 100
    const request = {
      inputs: [
        { name: "width", datatype: "INT8", shape: [1], data: [2] },
        { name: "colour", datatype: "BYTES", shape: [1], data: ["red"] },
      ],
    };
    expect(await (await fetch("/v2/models/shapes/infer", { method: "POST", body: JSON.stringify(request) })).json()).toMatchObject({
      outputs: [{ name: "prediction", datatype: "FP64", shape: [1], data: [105] }],
    });
  });

  it("answers numbers for classes that were numbers", async () => {
    const { fetch } = serve({ target: { task: "classification", column: "digit", classes: ["0", "1", "2"], numeric: true } });
    expect(await (await predict(fetch, { instances: [rows[0]] })).json()).toEqual({
      predictions: [{ prediction: 0, probabilities: { 0: 0.5, 1: 0.25, 2: 0.25 } }],
    });
  });

  it("takes an image nested, without its channel, or flat, and bare instances when it is the only column", async () => {
    const { fetch } = serve({
      inputs: [{ name: "image", kind: "tensor", shape: [1, 2, 2], optional: false }],
      target: { task: "regression", column: "y", mean: 0, standardDeviation: 1 },
    });
    const forms = [
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [
        [1, 2],
        [3, 4],
      ],
      [1, 2, 3, 4],
    ];
    for (const image of forms) {
      expect(await (await predict(fetch, { instances: [{ image }, image] })).json()).toEqual({ predictions: [30, 30] }); // 1*1 + 2*2 + 3*3 + 4*4
    }
    for (const shape of [
      [1, 1, 2, 2],
      [1, 2, 2],
      [1, 4],
    ]) {
      const request = { inputs: [{ name: "image", datatype: "FP32", shape, data: [1, 2, 3, 4] }] };
      expect(await (await fetch("/v2/models/shapes/infer", { method: "POST", body: JSON.stringify(request) })).json()).toMatchObject({
        outputs: [{ data: [30] }],
      });
    }
    const wrong = await predict(fetch, {
      instances: [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
    });
    expect([wrong.status, await wrong.json()]).toEqual([400, { error: expect.stringContaining('column "image" has shape [1, 2, 2]') }]);
  });

  it("keeps a defect's details to itself and reports them to its owner", async () => {
    const failures: unknown[] = [];
    const secret = new TypeError("secret path /etc/x");
    const { fetch } = serve({ beforeRun: () => Promise.reject(secret) }, { onFailure: (error, request) => failures.push(error, request.path) });
    const response = await predict(fetch, { instances: [rows[0]] });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(failures).toEqual([secret, "/v1/models/shapes:predict"]);
  });

  it("answers a full queue with 503 and Retry-After, and does not call it a failure", async () => {
    const failures: unknown[] = [];
    const busy = new EspalierError("SERVER_BUSY", "5 requests are waiting already");
    const { fetch } = serve({ beforeRun: () => Promise.reject(busy) }, { onFailure: (error) => failures.push(error) });
    const response = await predict(fetch, { instances: [rows[0]] });
    expect([response.status, response.headers.get("retry-after"), failures.length]).toEqual([503, "1", 0]);
  });

  it("never writes NaN: an answer that is none is the request's fault, and names the column farthest out", async () => {
    const { fetch } = serve();
    const response = await predict(fetch, { instances: [{ width: 1e308, height: 1.5e308, colour: "red" }] });
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: expect.stringContaining('"height" is 1.5e+308, in training it was from -5 to 5') },
    ]);
  });

  it("is not ready while a model is being loaded", async () => {
    const registry = createModelRegistry();
    registry.announce("shapes");
    const app = createServer({ registry });
    expect((await app.request("/v2/health/ready")).status).toBe(503);
    expect((await app.request("/v2/models/shapes/ready")).status).toBe(503);
    expect((await app.request("/v2/health/live")).status).toBe(200);
    registry.add(createScriptedPredictor());
    expect((await app.request("/v2/health/ready")).status).toBe(200);
  });

  it("counts requests by route, status and model, and rows by model", async () => {
    let time = 0;
    const { fetch } = serve({}, { clock: { now: () => (time += 3) } });
    await predict(fetch, { instances: rows });
    await predict(fetch, { instances: [{}] });
    await fetch("/v2/models/nobody-at-all");
    const text = await (await fetch("/metrics")).text();
    expect(text).toContain('espalier_requests_total{method="POST",model="shapes",route="/v1/models/:target",status="200"} 1\n');
    expect(text).toContain('espalier_requests_total{method="POST",model="shapes",route="/v1/models/:target",status="400"} 1\n');
    expect(text).toContain('http_request_method="POST",http_response_status_code="200",http_route="/v1/models/:target",le="0.0025"} 0\n');
    expect(text).toContain('http_request_method="POST",http_response_status_code="200",http_route="/v1/models/:target",le="0.005"} 1\n');
    expect(text).not.toContain("nobody-at-all");
  });

  it("shows columns and values as text, whatever they are called", async () => {
    const name = '"><script>alert(1)</script>';
    const { fetch } = serve({ inputs: [{ name, kind: "string", shape: [], optional: false, categories: [name] }], example: { [name]: name } });
    for (const path of ["/", "/docs"]) expect(await (await fetch(path)).text()).not.toContain("<script>alert");
  });

  it("serves built pages, and never what lies beside them", async () => {
    const asked: string[] = [];
    const read = async (path: string) => {
      asked.push(path);
      return path === "index.html" || path === "demos/digits/index.html"
        ? { bytes: new TextEncoder().encode(path), contentType: "text/html" }
        : undefined;
    };
    const { fetch } = serve({}, { assets: { read } });
    expect(await (await fetch("/")).text()).toBe("index.html");
    expect(await (await fetch("/demos/digits/")).text()).toBe("demos/digits/index.html");
    expect((await fetch("/demos/digits")).status).toBe(301);
    for (const path of ["/demos/%2e%2e/secret", "/demos/..%2fsecret", "/demos/.env", "/demos/%00", "/demos/%", "/demos/a%5c..%5cb"])
      expect((await fetch(path)).status).toBe(404);
    expect(asked.some((path) => path.includes("..") || path.includes("secret"))).toBe(false);
  });
});
