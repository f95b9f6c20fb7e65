import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { WebGpuBackend } from "../../backends/webgpu/index.ts";
import { openSoftwareDawn } from "../support/dawn.ts";
import { casesOf } from "./operator-case.ts";
import { operatorSpecs } from "./specs.ts";

// Our WebGPU engine over Dawn in plain Node. The suite must run here: a machine where Dawn does not start fails it.
const reference = openReference();
let backend: WebGpuBackend;

beforeAll(async () => {
  backend = await openSoftwareDawn();
});

afterAll(async () => {
  await backend.dispose();
});

describe("webgpu over Dawn", () => {
  test.each(operatorSpecs.flatMap(casesOf))("$name", async ({ run }) => {
    await expect(run(backend, reference)).resolves.toBeUndefined();
  });

  test("all of that left no buffer on the device", () => {
    expect(backend.liveBuffers).toBe(0);
  });
});
