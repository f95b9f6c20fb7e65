import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { InputField, Manifest } from "../../core/index.ts";
import { columnsOf, post, required, tensorsOf, type RequestSuiteFixture, type TensorRequest } from "./requests.ts";

/** What a server must refuse, each with the status and the name that the message must have; and that it goes on answering. */
export function badRequestSuite(name: string, fixture: () => Promise<RequestSuiteFixture>): void {
  describe(`${name}: bad input`, () => {
    const cases: readonly (readonly [problem: string, build: (fixture: RequestSuiteFixture) => BadRequest])[] = [
      [
        "a missing column",
        ({ manifest, rows }) => v1({ instances: [without(rows[0], required(manifest, "string").name)] }, 400, required(manifest, "string").name),
      ],
      [
        "a misspelt column",
        ({ manifest, rows }) =>
          v1({ instances: [renamed(rows[0], required(manifest, "number").name)] }, 400, `${required(manifest, "number").name}x`),
      ],
      [
        "text for a number",
        ({ manifest, rows }) =>
          v1({ instances: [{ ...rows[0], [required(manifest, "number").name]: "wide" }] }, 400, required(manifest, "number").name),
      ],
      [
        "a number for text",
        ({ manifest, rows }) => v1({ instances: [rows[0], { ...rows[1], [required(manifest, "string").name]: 7 }] }, 400, "instances[1]"),
      ],
      [
        "null where no row missed a value",
        ({ manifest, rows }) =>
          v1({ instances: [{ ...rows[0], [required(manifest, "number").name]: null }] }, 400, required(manifest, "number").name),
      ],
      [
        "a number beyond float64",
        ({ manifest, rows }) =>
          v1(JSON.stringify({ instances: [{ ...rows[0], [required(manifest, "number").name]: 0.5 }] }).replace(":0.5", ":1e999"), 400, "finite"),
      ],
      [
        "columns of different lengths",
        ({ manifest, rows }) =>
          v1({ inputs: { ...columnsOf(manifest, rows.slice(0, 2)), [required(manifest, "string").name]: ["a"] } }, 400, "1 row"),
      ],
      ["no rows", () => v1({ instances: [] }, 400, "row")],
      ["neither instances nor inputs", () => v1({ rows: [] }, 400, '"instances"')],
      ["both instances and inputs", () => v1({ instances: [], inputs: {} }, 400, "both")],
      ["an unknown signature", () => v1({ signature_name: "x", instances: [] }, 400, "signature_name")],
      ["broken JSON", () => v1('{"instances": [', 400, "not JSON")],
      ["an empty body", () => v1("", 400, "empty")],
      ["a list as the body", () => v1([], 400, "object")],
      ["a body over the limit", ({ maxBodyBytes }) => v1(" ".repeat(maxBodyBytes + 1), 413, String(maxBodyBytes))],
      [
        "a missing tensor",
        ({ manifest, rows }) =>
          v2(
            { inputs: tensorsOf(manifest, rows).filter(({ name: input }) => input !== required(manifest, "number").name) },
            required(manifest, "number").name,
          ),
      ],
      ["an unknown datatype", ({ manifest, rows }) => v2({ inputs: changed(manifest, rows, { datatype: "FP8" }) }, "inputs[0].datatype")],
      [
        "a numeric datatype for text",
        ({ manifest, rows }) =>
          v2({ inputs: changed(manifest, rows, { datatype: "FP32", data: rows.map(() => 1) }, "string") }, required(manifest, "string").name),
      ],
      [
        "BYTES for a number",
        ({ manifest, rows }) =>
          v2({ inputs: changed(manifest, rows, { datatype: "BYTES", data: rows.map(() => "1") }) }, required(manifest, "number").name),
      ],
      [
        "fewer elements than the shape says",
        ({ manifest, rows }) => v2({ inputs: changed(manifest, rows, { data: [1] }) }, `must hold ${rows.length} elements`),
      ],
      ["a shape of too many dimensions", ({ manifest, rows }) => v2({ inputs: changed(manifest, rows, { shape: [rows.length, 1, 1] }) }, "shape")],
      ["a shape that is no shape", ({ manifest, rows }) => v2({ inputs: changed(manifest, rows, { shape: [-1] }) }, "shape")],
      [
        "tensors of different row counts",
        ({ manifest, rows }) => v2({ inputs: changed(manifest, rows, { shape: [1], data: [1] }) }, "same number of rows"),
      ],
      [
        "a fraction in an integer tensor",
        ({ manifest, rows }) => v2({ inputs: changed(manifest, rows, { datatype: "INT32", data: rows.map(() => 1.5) }) }, "INT32"),
      ],
      ["an input that is there twice", ({ manifest, rows }) => v2({ inputs: [...tensorsOf(manifest, rows), ...tensorsOf(manifest, rows)] }, "twice")],
      [
        "an output that does not exist",
        ({ manifest, rows }) => v2({ inputs: tensorsOf(manifest, rows), outputs: [{ name: "logits" }] }, "outputs[0].name"),
      ],
      ["an id that is no text", ({ manifest, rows }) => v2({ id: 7, inputs: tensorsOf(manifest, rows) }, "id")],
      ["inputs that are no list", () => v2({ inputs: {} }, "inputs")],
    ];
    for (const [problem, build] of cases) {
      it(`refuses ${problem}`, async () => {
        const given = await fixture();
        const { fetch, manifest } = given;
        const { protocol, body, status, names } = build(given);
        const answer = await post(fetch, protocol === "v1" ? `/v1/models/${manifest.name}:predict` : `/v2/models/${manifest.name}/infer`, body);
        expect(answer.body).toEqual({ error: expect.stringContaining(names) });
        expect(answer.status).toBe(status);
        expect(answer.headers.get("espalier-error-code")).toMatch(/^[A-Z_]+$/);
        expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*\.(ts|js):\d/);
        expect((await fetch("/v2/health/ready")).status).toBe(200);
      });
    }

    it("refuses an unknown model or version, naming those that there are", async () => {
      const { fetch, manifest } = await fixture();
      const unknown = await post(fetch, "/v2/models/nobody/infer", { inputs: [] });
      expect(unknown).toMatchObject({ status: 404, body: { error: expect.stringContaining(`"${manifest.name}"`) } });
      expect(await post(fetch, `/v1/models/${manifest.name}/versions/9:predict`, {})).toMatchObject({
        status: 404,
        body: { error: expect.stringContaining(manifest.version) },
      });
    });

    it("answers any other body at all with 4xx or a prediction, never with a failure", async () => {
      const { fetch, manifest, rows } = await fixture();
      const names = manifest.inputs.map((field) => field.name);
      const leaf = fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.double().map((value) => (Number.isFinite(value) ? value : null)),
        fc.constantFrom(...Object.values(rows[0] ?? {})),
      );
      const row = fc.dictionary(fc.constantFrom(...names), leaf);
      const tensor = fc.record({
        name: fc.constantFrom(...names),
        datatype: fc.constantFrom("FP32", "INT64", "BYTES", "BOOL"),
        shape: fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 3 }),
        data: fc.array(leaf, { maxLength: 3 }),
      });
      const bodies = fc.oneof(
        fc.string(),
        fc.json(),
        fc.record({ instances: fc.array(row, { maxLength: 3 }) }).map((value) => JSON.stringify(value)),
        fc.record({ inputs: row }).map((value) => JSON.stringify(value)),
        fc.record({ inputs: fc.array(tensor, { maxLength: 4 }) }).map((value) => JSON.stringify(value)),
      );
      const paths = fc.constantFrom(`/v1/models/${manifest.name}:predict`, `/v2/models/${manifest.name}/infer`);
      await fc.assert(
        fc.asyncProperty(paths, bodies, async (path, body) => {
          const response = await fetch(path, { method: "POST", body });
          const text = await response.text();
          if (response.status >= 500) throw new Error(`${path} ${body} -> ${response.status} ${text}`);
          expect(typeof JSON.parse(text)).toBe("object");
        }),
        { numRuns: 300 },
      );
    });
  });
}

interface BadRequest {
  readonly protocol: "v1" | "v2";
  readonly body: unknown;
  readonly status: number;
  /** What the message must name. */
  readonly names: string;
}

function v1(body: unknown, status: number, names: string): BadRequest {
  return { protocol: "v1", body, status, names };
}

function v2(body: unknown, names: string): BadRequest {
  return { protocol: "v2", body, status: 400, names };
}

function without(row: Readonly<Record<string, unknown>> | undefined, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([column]) => column !== name));
}

function renamed(row: Readonly<Record<string, unknown>> | undefined, name: string): Record<string, unknown> {
  return { ...without(row, name), [`${name}x`]: row?.[name] };
}

/** All tensors of a good request, with one of them changed and put first. */
function changed(
  manifest: Manifest,
  rows: readonly Readonly<Record<string, unknown>>[],
  change: Partial<TensorRequest>,
  kind: InputField["kind"] = "number",
): TensorRequest[] {
  const { name } = required(manifest, kind);
  const tensors = tensorsOf(manifest, rows);
  const tensor = tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw new Error(`there is no tensor "${name}"`);
  return [{ ...tensor, ...change }, ...tensors.filter((other) => other !== tensor)];
}
