import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createBundle, type Bundle } from "../../core/index.ts";
import { encodeSafetensors } from "../../core/bundle/safetensors.ts";
import { linear } from "../../core/models/index.ts";
import { tensor } from "../../core/tensor.ts";
import { loadBundle, saveBundle } from "./bundle-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-bundle-"));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (...parts: string[]): string => join(folder, ...parts);

function bundleOf(name: string, weight = 0): Bundle {
  const model = linear({ width: 2, head: { task: "regression" } });
  const kernel = tensor("float32", [2, 1], [weight, weight]);
  return createBundle({
    name,
    model: { ...model, state: { ...model.state, "dense/kernel": kernel } },
    features: { features: [{ kind: "number", column: "x", mean: 0, standardDeviation: 1, missing: true }] },
    target: { task: "regression", column: "y", mean: 0, standardDeviation: 1 },
    inputs: [{ name: "x", kind: "number", shape: [], optional: true }],
    example: { x: 1 },
    metrics: {},
    lineage: { seed: 1, data: { fingerprint: "", rows: 1, source: "" } },
    environment: {},
    createdAt: "2026-01-01T00:00:00.000Z",
  });
}

it.each(["model", "new/deep/model", "model.safetensors"])("a bundle saved as %s comes back as it was, and nothing lies beside it", async (path) => {
  const bundle = bundleOf("one", 2);
  await saveBundle(at(path), bundle);
  const loaded = await loadBundle(at(path));
  expect(loaded.manifest).toEqual(bundle.manifest);
  expect(await loaded.readTensors()).toEqual(await bundle.readTensors());
  expect(await readdir(folder)).toEqual([path.split("/")[0]]);
});

it.each(["model", "model.safetensors"])("a newer bundle takes the place of %s whole", async (path) => {
  await saveBundle(at(path), bundleOf("one", 1));
  await saveBundle(at(path), bundleOf("two", 2));
  const loaded = await loadBundle(at(path));
  expect(loaded.manifest.name).toBe("two");
  expect((await loaded.readTensors())["dense/kernel"]?.data).toEqual(new Float32Array([2, 2]));
  expect(await readdir(folder)).toEqual([path]);
});

it("a bundle with flipped bytes is refused when it is read, and may be replaced", async () => {
  await saveBundle(at("model"), bundleOf("one", 1));
  const weights = at("model", "model.safetensors");
  const bytes = await readFile(weights);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(weights, bytes);
  const loaded = await loadBundle(at("model"));
  await expect(loaded.readTensors()).rejects.toMatchObject({ code: "BUNDLE_CORRUPT", message: expect.stringContaining(at("model")) });
  await truncate(weights, bytes.length - 1);
  await expect(loadBundle(at("model"))).rejects.toMatchObject({ code: "BUNDLE_CORRUPT", message: expect.stringContaining(weights) });
  await saveBundle(at("model"), bundleOf("two", 2));
  expect((await loadBundle(at("model"))).manifest.name).toBe("two");
});

it.each([
  ["table.csv", "a,b\n1,2\n"],
  ["empty.safetensors", ""],
  ["short.txt", "hello"],
  ["other.safetensors", encodeSafetensors({ w: tensor("float32", [1], [1]) })],
])("%s is not a bundle, and is named once", async (name, bytes) => {
  await writeFile(at(name), bytes);
  const error = await loadBundle(at(name)).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: "BUNDLE_INVALID", message: expect.stringContaining(`${at(name)} is not a bundle: `) });
  expect((error as Error).message.split(name)).toHaveLength(2);
});

it("a folder without weights, a device and nothing at all are not bundles", async () => {
  await mkdir(at("model"));
  await writeFile(at("model", "manifest.json"), "{}");
  await expect(loadBundle(at("model"))).rejects.toMatchObject({ code: "BUNDLE_INVALID", message: expect.stringContaining("no model.safetensors") });
  await mkdir(at("model", "model.safetensors"));
  await expect(loadBundle(at("model"))).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
  await expect(loadBundle("/dev/null")).rejects.toMatchObject({
    code: "BUNDLE_INVALID",
    message: expect.stringContaining("neither a file nor a folder"),
  });
  await expect(loadBundle(at("nothing"))).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining("does not exist") });
});

it("what is not a bundle is never overwritten", async () => {
  await mkdir(at("extension"));
  await writeFile(at("extension", "manifest.json"), '{"manifest_version":3}');
  await mkdir(at("work"));
  await writeFile(at("work", "notes.txt"), "mine");
  await writeFile(at("file"), "mine");
  await mkdir(at("folder.safetensors"));
  const others = encodeSafetensors({ w: tensor("float32", [1], [1]) });
  await writeFile(at("others.safetensors"), others);
  const before = await readdir(folder, { recursive: true });
  for (const path of ["extension", "work", "file", "folder.safetensors", "others.safetensors"]) {
    await expect(saveBundle(at(path), bundleOf("one"))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining(`${at(path)} exists and is not a bundle`),
    });
  }
  expect(await readdir(folder, { recursive: true })).toEqual(before);
  expect(await readFile(at("work", "notes.txt"), "utf8")).toBe("mine");
  expect(new Uint8Array(await readFile(at("others.safetensors")))).toEqual(others);
});

it.each(["model", "model.safetensors"])("a failure while %s is replaced leaves the old bundle and nothing half-written", async (path) => {
  await saveBundle(at(path), bundleOf("one", 1));
  const broken: Bundle = { ...bundleOf("two", 2), readTensors: () => Promise.reject(new Error("the disk is full")) };
  await expect(saveBundle(at(path), broken)).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining("the disk is full") });
  expect(await readdir(folder)).toEqual([path]);
  expect((await loadBundle(at(path))).manifest.name).toBe("one");
});

it("a place below a file cannot be written", async () => {
  await writeFile(at("file"), "");
  await expect(saveBundle(at("file", "model"), bundleOf("one"))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  expect(await readdir(folder)).toEqual(["file"]);
});
