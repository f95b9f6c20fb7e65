import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { espalier } from "../support/espalier.ts";

it("doctor says of every backend whether it works here, how fast, or how to get it", async () => {
  const { code, json, stderr } = await espalier(["doctor", "--json"], { cwd: tmpdir() });
  expect(code).toBe(0);
  const { ok, auto, backends } = json as {
    ok: boolean;
    auto: string;
    backends: { name: string; works: boolean; stepsPerSecond?: number; reason?: string }[];
  };
  expect(ok).toBe(true);
  expect(backends.map(({ name }) => name)).toEqual(["onnxruntime", "webgpu", "tfjs-wasm", "reference"]);
  for (const backend of backends) expect(backend.works ? backend.stepsPerSecond : backend.reason?.length).toBeGreaterThan(0);
  expect(backends.find(({ name }) => name === auto)?.works).toBe(true);
  expect(stderr).toContain(`"auto" takes ${auto}`);
});
