import { inject, describe, expect, it } from "vitest";
import { createWorker } from "../../server/edge/index.ts";
import { requestSuite } from "../../server/testing/request-suite.ts";
import type { RequestSuiteFixture } from "../../server/testing/requests.ts";
import { servedFixture } from "../support/served-fixture.ts";
import type { ServedModel } from "./served-model.ts";

const maxBodyBytes = 100_000;

function bundleBytes(base64: string): ArrayBuffer {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}

let fixture: RequestSuiteFixture | undefined;

async function served(): Promise<RequestSuiteFixture> {
  if (fixture !== undefined) return fixture;
  const model = JSON.parse(inject("servedModel")) as ServedModel; // global-setup.ts wrote it
  const worker = createWorker({ bundle: bundleBytes(model.bundle), limits: { maxBodyBytes } });
  fixture = servedFixture(model, { fetch: (path, init) => worker.fetch(new Request(`https://worker.example${path}`, init)), maxBodyBytes });
  return fixture;
}

requestSuite("inside workerd", served);

describe("the worker", () => {
  // That it needs no Node module is shown where it is built without them: server/node/deploy/deploy.test.ts.
  it("runs in workerd", () => {
    expect(navigator.userAgent).toBe("Cloudflare-Workers");
  });

  it("refuses a bundle with a flipped byte at the first request, and says nothing of its insides", async () => {
    const { bundle } = JSON.parse(inject("servedModel")) as ServedModel; // global-setup.ts wrote it
    const bytes = new Uint8Array(bundleBytes(bundle));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    const response = await createWorker({ bundle: bytes.buffer }).fetch(new Request("https://worker.example/v2"));
    expect(response.status).toBe(500);
    expect(response.headers.get("espalier-error-code")).toBe("BUNDLE_CORRUPT");
    await response.body?.cancel();
  });
});
