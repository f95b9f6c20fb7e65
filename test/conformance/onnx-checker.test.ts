import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findOperator, importOnnx, toOnnx } from "../../core/index.ts";
import { exportedModels } from "./exported-models.ts";
import { graphOf, nameOf, stateOf } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const script = join(root, "test/conformance/check-onnx.py");
const golden = new URL("../golden/onnx/", import.meta.url);

/** Where the onnx package is not what everyone does. */
const differences: Readonly<Record<string, string>> = {
  "MaxPool: ceil_mode, the last window would start in the padding": "onnx counts it; ONNX Runtime and PyTorch do not",
  "MaxPool: dilated, padded, ceil_mode": "onnx counts a last window that would start in the padding; ONNX Runtime and PyTorch do not",
  "MaxPool: ceil_mode with pads": "onnx counts a last window that would start in the padding; ONNX Runtime and PyTorch do not",
};

/** A Python that has the onnx package: `npm run onnx:setup` makes one in .venv. */
async function pythonWithOnnx(): Promise<string | undefined> {
  const own = join(root, ".venv/bin/python");
  const candidates = [process.env["ESPALIER_PYTHON"] ?? "", existsSync(own) ? own : "", "python3"].filter((path) => path !== "");
  for (const python of candidates) {
    const found = await run(python, ["-c", "import onnx"]).catch(() => undefined);
    if (found !== undefined) return python;
  }
  return undefined;
}

async function exports(): Promise<Readonly<Record<string, Uint8Array>>> {
  const files: Record<string, Uint8Array> = {};
  for (const [name, { graph, state }] of await exportedModels()) {
    files[name] = toOnnx(graph, { state, doc: "a network", producerVersion: "1", metadata: { author: "nobody" } });
  }
  for (const spec of operatorSpecs) {
    if (findOperator(spec.operator)?.domain === "ai.onnx.preview.training") continue;
    const graph = graphOf(spec);
    files[nameOf(spec)] = toOnnx(graph, { state: stateOf(graph, spec) });
    if (findOperator(spec.operator)?.opset !== undefined)
      files[`${nameOf(spec)}, opset 23`] = toOnnx(graph, { state: stateOf(graph, spec), opset: 23 });
  }
  const cases = JSON.parse(await readFile(new URL("cases.json", golden), "utf8")) as readonly { file: string; dimensions: Record<string, number> }[];
  for (const { file, dimensions } of cases.filter(({ file: name }) => name.startsWith("pytorch-flat"))) {
    const { graph, state } = importOnnx(await readFile(new URL(file, golden)), { dimensions });
    files[`imported ${file}`] = toOnnx(graph, { state });
  }
  return files;
}

test("the onnx package's checker accepts every exported operator and model, and infers the types that the files state", async ({ skip }) => {
  const python = (await pythonWithOnnx()) ?? skip("no Python with the onnx package; npm run onnx:setup makes one");
  const folder = await mkdtemp(join(tmpdir(), "espalier-onnx-"));
  try {
    const files = Object.entries(await exports());
    for (const [i, [, bytes]] of files.entries()) await writeFile(join(folder, `${String(i).padStart(4, "0")}.onnx`), bytes);
    expect(await readdir(folder)).toHaveLength(files.length);
    const { stdout } = await run(python, [script, folder], { maxBuffer: 2 ** 26 });
    const results = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly file: string; readonly error: string | null });
    expect(results).toHaveLength(files.length);
    const refused = results.flatMap(({ error }, i) =>
      error === null || differences[files[i]?.[0] ?? ""] !== undefined ? [] : [`${files[i]?.[0]}: ${error}`],
    );
    expect(refused).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
