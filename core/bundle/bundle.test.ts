import fc from "fast-check";
import { expect, test } from "vitest";
import { EspalierError } from "../errors.ts";
import { linear, mlp } from "../models/index.ts";
import { tensor, type Tensors } from "../tensor.ts";
import { createBundle, manifestDigest, type Bundle, type BundleContents } from "./bundle.ts";
import type { Manifest } from "./manifest.ts";
import { bundleFiles, decodeBundle, openBundle } from "./open.ts";
import { encodeSafetensors } from "./safetensors.ts";
import { encodeBundle, encodeBundleFolder } from "./write.ts";

type Files = Readonly<Record<string, Uint8Array>>;

const contents: BundleContents = {
  name: "flowers-1",
  model: mlp({ width: 2, head: { task: "classification", classes: 2 }, hidden: [3], seed: 4 }),
  features: {
    features: [
      { kind: "number", column: "länge", mean: 1.25, standardDeviation: 0.1 + 0.2, missing: false },
      { kind: "category", column: "colour", vocabulary: ["red"] },
    ],
  },
  target: { task: "classification", column: "kind", classes: ["a", "b"], numeric: false },
  inputs: [{ name: "länge", kind: "number", shape: [], optional: false, range: [0, 1] }],
  example: { länge: 0.5, colour: "red" },
  metrics: { accuracy: 0.75 },
  lineage: { run: "r1", seed: 1, data: { fingerprint: "ab", rows: 10, source: "flowers.csv" } },
  environment: { espalier: "0.0.0" },
  createdAt: "2026-01-01T00:00:00.000Z",
};
const bundle = createBundle(contents);

async function openFolder(files: Files): Promise<Bundle> {
  return await openBundle({
    name: "models/flowers",
    size: async (file) => files[file]?.length,
    read: async (file, start, end) => files[file]!.subarray(start, end),
  });
}

/** Opens and reads everything; what it is refused with. */
async function refusalOf(open: () => Promise<Bundle>): Promise<{ code: string; message: string } | undefined> {
  try {
    await (await open()).readTensors();
    return undefined;
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error; // no other error may come out
    return { code: error.code, message: error.message };
  }
}

function flipped(bytes: Uint8Array, at: number, change: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = copy[at]! ^ change;
  return copy;
}

const damaged = /^BUNDLE_(CORRUPT|INVALID|VERSION)$/;

/** The one-file form of any manifest, with a digest that is right unless the manifest itself has none. */
function forged(manifest: unknown, weights: Tensors): Uint8Array {
  const sealed =
    typeof manifest === "object" && manifest !== null && "digest" in manifest
      ? Object.fromEntries(
          Object.entries({ ...manifest, digest: manifestDigest(manifest as Manifest) }), // keeps an own "__proto__"
        )
      : manifest;
  return encodeSafetensors(weights, { espalier: JSON.stringify(sealed) });
}

test("a bundle comes back as it was from one file and from a folder", async () => {
  for (const opened of [await decodeBundle(await encodeBundle(bundle)), await openFolder(await encodeBundleFolder(bundle))]) {
    expect(opened.manifest).toEqual(bundle.manifest);
    expect(opened.graph).toEqual(bundle.graph);
    expect(await opened.readTensors()).toEqual(contents.model.state);
    expect(await opened.readTensors(["dense/bias"])).toEqual({ "dense/bias": contents.model.state["dense/bias"] });
    for (const name of ["nothing", "constructor"]) {
      await expect(opened.readTensors([name])).rejects.toMatchObject({ code: "ARGUMENT_INVALID", message: expect.stringContaining(name) });
    }
    expect(await encodeBundle(opened)).toEqual(await encodeBundle(bundle));
  }
});

test("a flipped bit at any byte of the one-file form is found", async () => {
  const file = await encodeBundle(bundle);
  for (let at = 0; at < file.length; at++) {
    const refusal = await refusalOf(() => decodeBundle(flipped(file, at, 1 << (at % 8))));
    expect(refusal?.code, `byte ${at}`).toMatch(damaged);
  }
});

test("a flipped bit at any byte of either file of a folder is found", async () => {
  const files = await encodeBundleFolder(bundle);
  for (const [name, bytes] of Object.entries(files)) {
    for (let at = 0; at < bytes.length; at++) {
      const refusal = await refusalOf(() => openFolder({ ...files, [name]: flipped(bytes, at, 1 << (at % 8)) }));
      expect(refusal?.code, `${name}, byte ${at}`).toMatch(damaged);
    }
  }
});

test("any other byte anywhere, blanks for blanks too, and any missing end are found", async () => {
  const file = await encodeBundle(bundle);
  const files = await encodeBundleFolder(bundle);
  const cases: readonly (readonly [bytes: Uint8Array, open: (bytes: Uint8Array) => Promise<Bundle>])[] = [
    [file, (bytes) => decodeBundle(bytes)],
    ...Object.entries(files).map(([name, bytes]) => [bytes, (changed: Uint8Array) => openFolder({ ...files, [name]: changed })] as const),
  ];
  const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  // 0x20 becomes a tab, a line feed or a carriage return with 0x29, 0x2a and 0x2d: JSON that means the same
  const change = fc.oneof(fc.constantFrom(0x29, 0x2a, 0x2d), fc.integer({ min: 1, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...cases), position, change, async ([bytes, open], where, by) => {
      const at = Math.floor(where * bytes.length);
      expect((await refusalOf(() => open(flipped(bytes, at, by))))?.code).toMatch(damaged);
      expect((await refusalOf(() => open(bytes.subarray(0, at))))?.code).toMatch(damaged);
    }),
    { numRuns: 600 },
  );
});

test("a changed blank of the header's padding is found, though it means the same", async () => {
  let blanks = 0;
  for (const name of ["a", "ab", "abc", "abcd"]) {
    const file = await encodeBundle(createBundle({ ...contents, name }));
    const end = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    for (let at = end - 1; file[at] === 0x20; at--) {
      blanks++;
      for (const change of [0x29, 0x2a, 0x2d]) {
        expect(await refusalOf(() => decodeBundle(flipped(file, at, change)))).toMatchObject({ code: "BUNDLE_CORRUPT" });
      }
    }
  }
  expect(blanks).toBeGreaterThan(0); // four lengths in a row cannot all be multiples of 8
});

test("changed weights are corrupt, not something else, and are named", async () => {
  const file = await encodeBundle(bundle);
  const refusal = await refusalOf(() => decodeBundle(flipped(file, file.length - 1, 1), "m.safetensors"));
  expect(refusal).toMatchObject({ code: "BUNDLE_CORRUPT", message: expect.stringMatching(/^m\.safetensors: the bytes of tensor ".+"/) });
  expect(await refusalOf(() => decodeBundle(file.subarray(0, -1), "m.safetensors"))).toMatchObject({ code: "BUNDLE_CORRUPT" });
});

test("weights that the manifest does not know are refused", async () => {
  const more = { ...contents.model.state, extra: tensor("float32", [1], [1]) };
  expect(await refusalOf(() => decodeBundle(forged(bundle.manifest, more)))).toMatchObject({
    code: "BUNDLE_CORRUPT",
    message: expect.stringContaining('"extra"'),
  });
});

test.each([
  ["a table", "a,b\n1,2\n3,4\n"],
  ["nothing", ""],
  ["less than a header's length", "hello"],
  ["as much as a header's length", "12345678"],
  ["another safetensors file", encodeSafetensors({ w: tensor("float32", [1], [1]) })],
  ["JSON that is not an object", new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x5b, 0x5d])],
])("a file that holds %s is not a bundle, and is named once", async (_, given) => {
  const bytes = typeof given === "string" ? new TextEncoder().encode(given) : given;
  const refusal = await refusalOf(() => decodeBundle(bytes, "data/x.csv"));
  expect(refusal?.code).toBe("BUNDLE_INVALID");
  expect(refusal?.message).toMatch(/^data\/x\.csv is not a bundle: /);
  expect(refusal?.message.split("x.csv")).toHaveLength(2);
});

test("a folder without weights is not a bundle", async () => {
  const { [bundleFiles.manifest]: manifest } = await encodeBundleFolder(bundle);
  expect(await refusalOf(() => openFolder({ [bundleFiles.manifest]: manifest! }))).toEqual({
    code: "BUNDLE_INVALID",
    message: expect.stringMatching(/models\/flowers is not a bundle: there is no model\.safetensors/),
  });
});

test("another version of the format is refused with both versions", async () => {
  const refusal = await refusalOf(() => decodeBundle(forged({ ...bundle.manifest, formatVersion: 27 }, contents.model.state)));
  expect(refusal).toEqual({ code: "BUNDLE_VERSION", message: expect.stringMatching(/format 27, this release reads 1/) });
});

test("a version belongs to what predicts: equal for equal weights, whatever else differs; another for other weights", () => {
  const version = (changes: Partial<BundleContents>): string => createBundle({ ...contents, ...changes }).manifest.version;
  expect(version({ name: "other", createdAt: "2027-01-01T00:00:00.000Z", metrics: {} })).toBe(bundle.manifest.version);
  expect(version({ model: { ...contents.model, state: { ...contents.model.state } } })).toBe(bundle.manifest.version);
  const bias = contents.model.state["dense/bias"]!;
  const nudged = tensor("float32", bias.shape, [1e-7, 0, 0]);
  expect(version({ model: { ...contents.model, state: { ...contents.model.state, "dense/bias": nudged } } })).not.toBe(bundle.manifest.version);
  expect(version({ model: linear({ width: 2, head: { task: "classification", classes: 2 } }) })).not.toBe(bundle.manifest.version);
  expect(version({ target: { ...contents.target, task: "classification", classes: ["b", "a"], numeric: false } })).not.toBe(bundle.manifest.version);
});

test("a name that cannot stand in a URL, and a model without its weights, make no bundle", () => {
  for (const name of ["", "a/b", "../x", "ä", "-a", "a".repeat(129)])
    expect(() => createBundle({ ...contents, name })).toThrow(/a model's name is letters/);
  expect(() => createBundle({ ...contents, model: { ...contents.model, state: {} } })).toThrow(/no weights for "dense/);
});

type Path = readonly (string | number)[];

function pathsIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => pathsIn(item, [...at, key]))];
}

function changedAt(value: unknown, [key, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy = structuredClone(value) as Record<string | number, unknown>; // the path leads through objects and lists
  const next = changedAt(copy[key], rest, change);
  if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy;
}

const plain = JSON.parse(JSON.stringify(bundle.manifest)) as Record<string, unknown>;

test("what could not be opened again is not written", async () => {
  const [metric] = Object.keys(contents.metrics);
  const bundle = createBundle({ ...contents, metrics: { ...contents.metrics, [metric ?? "rmse"]: Number.NaN } });
  for (const write of [encodeBundle, encodeBundleFolder])
    await expect(write(bundle)).rejects.toMatchObject({ code: "BUNDLE_INVALID", message: expect.stringContaining("must be a finite number") });
});

test("every field is needed, and of its type", async () => {
  for (const field of Object.keys(plain)) {
    for (const wrong of [undefined, null, true, [null], { toString: 1, valueOf: 1 }, JSON.parse('{"__proto__":{}}')]) {
      if (
        ["model", "graph", "example", "metrics", "environment"].includes(field) &&
        wrong !== undefined &&
        !Object.hasOwn(Object(wrong), "__proto__")
      )
        continue; // free forms, tested below
      const refusal = await refusalOf(() =>
        decodeBundle(encodeSafetensors(contents.model.state, { espalier: JSON.stringify(changedAt(plain, [field], () => wrong)) })),
      );
      expect(refusal?.code, `${field} ${JSON.stringify(wrong)}`).toBe("BUNDLE_INVALID");
    }
  }
});

test("a manifest that was changed by someone who knows the digest opens or is refused, and never fails otherwise", async () => {
  const deep = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`) as unknown;
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(undefined, -1, 1e308, 2 ** 53, "", "constructor", "valueOf", "batch", "float32", {}, [], deep),
    fc.constantFrom('{"__proto__":{"a":1}}', '{"toString":1,"valueOf":2}', '{"length":1e9}').map((text) => JSON.parse(text) as unknown),
  );
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...pathsIn(plain).filter((path) => path.length > 0)), values, async (path, value) => {
      const changed = changedAt(plain, path, () => value);
      if (value === deep) {
        const file = encodeSafetensors(contents.model.state, {
          espalier: JSON.stringify(changedAt(plain, path, () => "@deep")).replace('"@deep"', () => `${"[".repeat(50_000)}${"]".repeat(50_000)}`),
        });
        expect((await refusalOf(() => decodeBundle(file)))?.code).toBe("BUNDLE_INVALID");
        return;
      }
      const refusal = await refusalOf(() => decodeBundle(forged(changed, contents.model.state)));
      if (refusal === undefined) return;
      refused++;
      expect(refusal.code).toMatch(damaged);
    }),
    { numRuns: 600 },
  );
  expect(refused).toBeGreaterThan(100);
});

test("a graph that cannot be read makes no bundle, and the refusal says so", async () => {
  const graph = changedAt(plain, ["graph", "nodes", 0, "operator"], () => "Evil");
  expect(await refusalOf(() => decodeBundle(forged(graph, contents.model.state)))).toEqual({
    code: "BUNDLE_INVALID",
    message: expect.stringMatching(/its graph cannot be read: .*Evil/),
  });
});
