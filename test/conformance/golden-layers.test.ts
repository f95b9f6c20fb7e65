import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { tfjsWasmDriver } from "../../backends/tfjs/index.ts";
import type { Backend } from "../../core/index.ts";
import { differences, type Golden } from "../../core/layers/testing/golden-layers.ts";
import { openSoftwareDawn } from "../support/dawn.ts";

// Every layer on every backend against Keras 3 in float64 (test/golden/make-layers.py). The reference backend's run is core/layers/keras/golden.test.ts.
const cases = JSON.parse(await readFile(new URL("../golden/layers.json", import.meta.url), "utf8")) as readonly Golden[];

describe.each<[name: string, open: () => Promise<Backend>]>([
  ["onnxruntime", () => openOnnxRuntime()],
  ["tfjs-wasm", () => tfjsWasmDriver.open()],
  ["webgpu", () => openSoftwareDawn()],
])("%s", (_, open) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.dispose());

  test.for(cases.map((golden) => [golden.name, golden] as const))("%s: values and gradients are Keras's", async ([, golden]) => {
    expect(await differences(golden, backend, { tolerance: 1e-4 })).toEqual([]);
  });
});
