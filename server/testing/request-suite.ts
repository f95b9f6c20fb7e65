import { describe, expect, it } from "vitest";
import { decodeTensor } from "../protocols/binary-tensors.ts";
import { findDatatype } from "../protocols/datatypes.ts";
import { badRequestSuite } from "./bad-request-suite.ts";
import { expectPrometheus } from "./expect-prometheus.ts";
import { post, tensorsOf, type RequestSuiteFixture } from "./requests.ts";

/** float32 sums in another order differ by a few units in the last place; probabilities are at most 1. */
const tolerance = 1e-5;

/**
 * The behaviour that every way of running the server has: the same tests run on Node in process, over loopback, and inside workerd.
 *
 * @param fixture called once a test; it may start what it needs and keep it
 */
export function requestSuite(name: string, fixture: () => Promise<RequestSuiteFixture>): void {
  describe(`${name}: predictions`, () => {
    it("answers V1 rows as training's evaluation did", async () => {
      const { fetch, manifest, rows, expected } = await fixture();
      const { status, body } = await post(fetch, `/v1/models/${manifest.name}:predict`, { instances: rows });
      expect(status).toBe(200);
      const predictions = body["predictions"] as readonly { prediction: unknown; probabilities: Record<string, number> }[]; // V1's form, checked by what follows
      expect(predictions.map(({ prediction }) => String(prediction))).toEqual(Array.from(expected.labels, (label) => expected.classes[label]));
      expectClose(
        predictions.flatMap(({ probabilities }) => expected.classes.map((className) => probabilities[className] ?? Number.NaN)),
        expected.probabilities,
      );
    });

    it("answers V1 columns as training's evaluation did", async () => {
      const { fetch, manifest, rows, expected } = await fixture();
      const inputs = Object.fromEntries(manifest.inputs.map((field) => [field.name, rows.map((row) => row[field.name] ?? null)]));
      const { status, body } = await post(fetch, `/v1/models/${manifest.name}/versions/${manifest.version}:predict`, {
        inputs,
        signature_name: "serving_default",
      });
      expect(status).toBe(200);
      expectClose((body["outputs"] as { probabilities: number[][] }).probabilities.flat(), expected.probabilities);
    });

    it("answers V2 tensors as training's evaluation did, flat or nested, and echoes the id", async () => {
      const { fetch, manifest, rows, expected } = await fixture();
      for (const nested of [false, true]) {
        const { status, body } = await post(fetch, `/v2/models/${manifest.name}/infer`, { id: "7", inputs: tensorsOf(manifest, rows, { nested }) });
        expect(status).toBe(200);
        expect(body).toMatchObject({ model_name: manifest.name, model_version: manifest.version, id: "7" });
        const outputs = body["outputs"] as readonly { name: string; shape: number[]; data: number[] }[];
        expect(outputs.map((output) => [output.name, output.shape])).toEqual([
          ["prediction", [rows.length]],
          ["probabilities", [rows.length, expected.classes.length]],
        ]);
        expectClose(outputs[1]?.data ?? [], expected.probabilities);
      }
    });

    it("answers only the outputs that were asked for, as raw bytes when they are asked for so", async () => {
      const { fetch, manifest, rows, expected } = await fixture();
      const request = { inputs: tensorsOf(manifest, rows), outputs: [{ name: "probabilities", parameters: { binary_data: true } }] };
      const response = await fetch(`/v2/models/${manifest.name}/infer`, { method: "POST", body: JSON.stringify(request) });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const length = Number(response.headers.get("inference-header-content-length"));
      const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length))) as { outputs: unknown[] };
      expect(header.outputs).toEqual([
        {
          name: "probabilities",
          datatype: "FP32",
          shape: [rows.length, expected.classes.length],
          parameters: { binary_data_size: expected.probabilities.length * 4 },
        },
      ]);
      const count = expected.probabilities.length;
      expectClose(decodeTensor(bytes.subarray(length), findDatatype("FP32", ""), { count, place: "" }) as number[], expected.probabilities);
    });

    it("gives every one of many requests at once its own answer", async () => {
      const { fetch, manifest, rows, expected } = await fixture();
      const answers = await Promise.all(rows.map((row) => post(fetch, `/v1/models/${manifest.name}:predict`, { instances: [row] })));
      const width = expected.classes.length;
      expect(answers.map(({ status }) => status)).toEqual(rows.map(() => 200));
      for (const [row, { body }] of answers.entries()) {
        const [prediction] = body["predictions"] as readonly { probabilities: Record<string, number> }[];
        expectClose(Object.values(prediction?.probabilities ?? {}), expected.probabilities.subarray(row * width, (row + 1) * width));
      }
    });
  });

  badRequestSuite(name, fixture);

  describe(`${name}: documents`, () => {
    it("every example of openapi.json is answered as it stands", async () => {
      const { fetch } = await fixture();
      const document = (await (await fetch("/openapi.json")).json()) as { openapi: string; paths: Record<string, Record<string, OpenApiOperation>> };
      expect(document.openapi).toBe("3.1.0");
      let sent = 0;
      for (const [path, item] of Object.entries(document.paths)) {
        for (const [method, operation] of Object.entries(item)) {
          const examples = Object.values(operation.requestBody?.content["application/json"]?.examples ?? { none: { value: undefined } });
          for (const { value } of examples) {
            const response = await fetch(path, { method: method.toUpperCase(), ...(value === undefined ? {} : { body: JSON.stringify(value) }) });
            expect([method, path, response.status]).toEqual([method, path, 200]);
            await response.body?.cancel();
            sent += 1;
          }
        }
      }
      expect(sent).toBeGreaterThan(5);
    });

    it("metadata names every column with its type and every class in its order", async () => {
      const { fetch, manifest, expected } = await fixture();
      const metadata = (await (await fetch(`/v2/models/${manifest.name}`)).json()) as {
        inputs: { name: string; datatype: string }[];
        outputs: { parameters?: { classes: string } }[];
      };
      expect(metadata.inputs.map(({ name: input, datatype }) => [input, datatype])).toEqual(
        manifest.inputs.map((field) => [field.name, { number: "FP64", string: "BYTES", tensor: "FP32" }[field.kind]]),
      );
      expect(JSON.parse(metadata.outputs[1]?.parameters?.classes ?? "")).toEqual(expected.classes);
    });

    it("health, card, pages and metrics are there", async () => {
      const { fetch, manifest } = await fixture();
      for (const path of [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/healthz",
        `/v2/models/${manifest.name}/ready`,
        `/v1/models/${manifest.name}`,
        `/v1/models/${manifest.name}/metadata`,
        "/",
        "/docs",
      ]) {
        const response = await fetch(path);
        expect([path, response.status]).toEqual([path, 200]);
        await response.body?.cancel();
      }
      const card = (await (await fetch(`/models/${manifest.name}/card`)).json()) as Record<string, unknown>;
      expect(card).toMatchObject({ name: manifest.name, metrics: manifest.metrics });
      expect(card).not.toHaveProperty("graph");
      expectPrometheus(await (await fetch("/metrics")).text());
    });

    it("answers 404 for other addresses, 405 for other methods, and lets pages of other sites call", async () => {
      const { fetch, manifest } = await fixture();
      expect(await post(fetch, "/nothing/here", {})).toMatchObject({ status: 404, body: { error: expect.stringContaining("/docs") } });
      const refused = await fetch(`/v2/models/${manifest.name}/infer`, { method: "DELETE" });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
      await refused.body?.cancel();
      const preflight = await fetch(`/v2/models/${manifest.name}/infer`, {
        method: "OPTIONS",
        headers: { origin: "https://shop.example", "access-control-request-method": "POST" },
      });
      expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
      const named = await fetch("/v2", { headers: { "x-request-id": "abc-1" } });
      expect(named.headers.get("x-request-id")).toBe("abc-1");
      await named.body?.cancel();
    });
  });
}

interface OpenApiOperation {
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>>;
  };
}

function expectClose(found: readonly number[], expected: ArrayLike<number>): void {
  expect(found).toHaveLength(expected.length);
  const far = found.flatMap((value, i) => (Math.abs(value - (expected[i] ?? Number.NaN)) <= tolerance ? [] : [{ i, value, expected: expected[i] }]));
  expect(far).toEqual([]);
}
