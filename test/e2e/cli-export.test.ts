import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleMetadataKey, decodeOnnx, importOnnx, readTable, tensor, transformFeatures, type Manifest, type Tensor } from "../../core/index.ts";
import { loadBundle } from "../../node/bundle/bundle-files.ts";
import { openFiles } from "../../node/sources/open-files.ts";
import { runOnnx } from "../conformance/onnx-session.ts";
import { type CommandResult, espalier, temporaryFolder } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const run = (...args: readonly string[]): Promise<CommandResult> => espalier(args, { cwd: folder.path });
const place = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  const row = (i: number): string => `${((i * 7) % 13) + 0.5},${i % 3 === 0 ? "red" : "blue"},${(i * 7) % 13 > 6 ? "big" : "small"}`;
  await writeFile(place("sizes.csv"), `width,colour,label\n${Array.from({ length: 60 }, (_, i) => `${row(i)}\n`).join("")}`);
  const { code, stderr } = await run("train", "sizes.csv", "--target", "label", "--out", "sizes", "--model", "network", "--quiet");
  if (code !== 0) throw new Error(`the tests below need a bundle: ${stderr}`);
});
afterAll(() => folder.remove());

it("exports a bundle whose file gives in ONNX Runtime the probabilities that espalier predict writes", async () => {
  const { code, stdout } = await run("export", "sizes", "--format", "onnx", "--out", "sizes.onnx", "--json");
  expect(code).toBe(0);
  const answer = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { readonly bytes: number };
  const bytes = await readFile(place("sizes.onnx"));
  expect(answer).toMatchObject({ ok: true, format: "onnx", out: "sizes.onnx", opset: 21, bytes: bytes.byteLength, inputs: [{ name: "features" }] });

  // What a program without Espalier does: the manifest in the file says how columns become features and outputs become classes.
  const { metadata, doc } = decodeOnnx(bytes);
  const manifest = JSON.parse(metadata[bundleMetadataKey] ?? "") as Manifest;
  const bundle = await loadBundle(place("sizes"));
  expect(manifest.features).toEqual(bundle.manifest.features);
  expect(doc).toContain("classes big, small");
  const columns = await readTable(await openFiles([place("sizes.csv")], {}));
  const [outputs] = await runOnnx(bytes, [transformFeatures(manifest.features, columns)]);
  const given = softmax(outputs?.["logits"] ?? tensor("float32", [0], []));

  const predicted = await run("predict", "sizes", "sizes.csv");
  const [header = "", ...lines] = predicted.stdout.trimEnd().split(/\r?\n/);
  const wanted = lines.map((line) => line.split(","));
  const classes = manifest.target.task === "classification" ? manifest.target.classes : [];
  expect(given).toHaveLength(wanted.length * classes.length);
  wanted.forEach((cells, row) =>
    classes.forEach((name, k) =>
      expect(given[row * classes.length + k]).toBeCloseTo(Number(cells[header.split(",").indexOf(`probability_${name}`)]), 5),
    ),
  );
  expect(Object.keys(importOnnx(bytes).state)).toEqual(bundle.graph.state.map(({ name }) => name));
});

it("makes the bundle again of the file that it was exported to, which then predicts the same", async () => {
  expect((await run("export", "sizes", "--out", "again.onnx")).code).toBe(0);
  const { code, stdout } = await run("import", "again.onnx", "--out", "again", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ ok: true, bundle: "again", task: "classification", target: "label" });
  expect((await run("predict", "again", "sizes.csv")).stdout).toBe((await run("predict", "sizes", "sizes.csv")).stdout);
});

it("refuses to import what is no ONNX file, and classes that are not as many as the model's numbers", async () => {
  expect(await run("import", "sizes.csv", "--out", "none")).toMatchObject({ code: 2, stderr: expect.stringContaining("DATA_MALFORMED") });
  const { code, stderr } = await run("import", "sizes.onnx", "--classes", "a,b,c", "--out", "none");
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("answers 2 numbers, and 3 classes were named") });
  expect((await run("inspect", "none")).code).toBe(2);
});

it("refuses an unknown format, a missing --out and a path that holds no bundle, and leaves no file behind", async () => {
  expect(await run("export", "sizes", "--format", "keras", "--out", "x.onnx")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("ARGUMENT_INVALID"),
  });
  expect(await run("export", "sizes")).toMatchObject({ code: 2, stderr: expect.stringContaining("--out") });
  expect((await run("export", "sizes.csv", "--out", "x.onnx")).code).toBe(2);
  expect((await run("export", "sizes", "--out", "nowhere/x.onnx")).stderr).toContain("FILE_UNREADABLE");
  expect((await run("export", "sizes", "--opset", "20", "--out", "x.onnx")).stderr).toContain("whole number from 21 to 23");
  await expect(readFile(place("x.onnx"))).rejects.toThrow("ENOENT");
});

it("help says what the file takes", async () => {
  const { stdout } = await run("export", "--help");
  expect(stdout).toContain("transformed features, not raw columns");
  expect(stdout).toContain("Examples:");
});

function softmax({ data, shape }: Tensor): readonly number[] {
  const width = shape[1] ?? 1;
  const rows = Array.from({ length: data.length / width }, (_, i) =>
    Array.from({ length: width }, (_unused, k) => Math.exp(Number(data[i * width + k]))),
  );
  return rows.flatMap((row) => row.map((value) => value / row.reduce((a, b) => a + b)));
}
