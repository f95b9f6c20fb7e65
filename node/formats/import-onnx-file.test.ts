import { cp, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { importOnnx, tensor } from "../../core/index.ts";
import { importOnnxFile } from "./import-onnx-file.ts";

// Written by the onnx package: y = x w + b with w and b in weights.bin (test/golden/make-onnx.py).
const golden = new URL("../../test/golden/onnx/external/", import.meta.url);
let folder: string;
let model: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-external-"));
  model = join(folder, "in", "model.onnx");
  await mkdir(join(folder, "in"));
  for (const name of ["model.onnx", "weights.bin"]) await cp(new URL(name, golden), join(folder, "in", name));
});
afterEach(() => rm(folder, { recursive: true }));

/** The model with another file's name of the same length where it names its weights. */
async function naming(location: string): Promise<void> {
  expect(location).toHaveLength("weights.bin".length);
  const bytes = await readFile(model, "latin1");
  await writeFile(model, bytes.replaceAll("weights.bin", location), "latin1");
}

const refusal = (code: string, message: RegExp): unknown => expect.objectContaining({ code, message: expect.stringMatching(message) });

test("weights in another file are read from beside the model", async () => {
  const { graph, state } = await importOnnxFile(model);
  expect(Object.keys(state)).toEqual(["w", "b"]);
  const executable = await openReference().compile(graph, { state });
  const { y } = await executable.run({ x: tensor("float32", [1, 3], [1, 1, 2]) });
  expect([...(y?.data ?? [])]).toEqual([1 + 3 + 10 + 10, 2 + 4 + 12 + 20]);
});

test("without a reader of other files the model is refused by name", async () => {
  const bytes = await readFile(model);
  expect(() => importOnnx(bytes)).toThrow(refusal("FORMAT_UNSUPPORTED", /tensor "w" is in the file "weights.bin"/));
});

test("names that lead out of the model's folder are refused, though the file is there", async () => {
  await cp(join(folder, "in", "weights.bin"), join(folder, "secret.b"));
  await naming("../secret.b");
  await expect(importOnnxFile(model)).rejects.toEqual(refusal("DATA_MALFORMED", /"..\/secret.b": a model may name files in its own folder only/));
});

test("an absolute name is refused", async () => {
  await naming("/etc/passwd");
  await expect(importOnnxFile(model)).rejects.toEqual(refusal("DATA_MALFORMED", /own folder only/));
});

test("a link out of the model's folder is refused", async () => {
  await cp(join(folder, "in", "weights.bin"), join(folder, "secret"));
  await rm(join(folder, "in", "weights.bin"));
  await symlink(join(folder, "secret"), join(folder, "in", "weights.bin"));
  await expect(importOnnxFile(model)).rejects.toEqual(refusal("DATA_MALFORMED", /a link leads out/));
});

test("a file that is shorter than the model says is refused", async () => {
  await truncate(join(folder, "in", "weights.bin"), 8);
  await expect(importOnnxFile(model)).rejects.toEqual(refusal("DATA_MALFORMED", /it has 8 bytes, but 24 from byte 0 are wanted/));
});

test("a missing file, a folder and a missing model are told", async () => {
  await rm(join(folder, "in", "weights.bin"));
  await expect(importOnnxFile(model)).rejects.toEqual(refusal("FILE_UNREADABLE", /cannot read "weights.bin"/));
  await mkdir(join(folder, "in", "weights.bin"));
  await expect(importOnnxFile(model)).rejects.toEqual(refusal("DATA_MALFORMED", /not a file/));
  await expect(importOnnxFile(join(folder, "none.onnx"))).rejects.toEqual(refusal("FILE_UNREADABLE", /none.onnx/));
});
