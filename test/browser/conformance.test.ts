import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conformanceCases } from "../conformance/cases.ts";
import { skips } from "../conformance/skips.ts";
import { openChromium, watchPage } from "../support/chromium.ts";
import { bundlePage, type BundledPage } from "../support/page-bundle.ts";
import type { ConformanceOutcome } from "./conformance.page.ts";

let site: BundledPage;
let browser: Browser;
beforeAll(async () => {
  site = await bundlePage(join(import.meta.dirname, "conformance.page.ts"));
  browser = await openChromium({ webgpu: true });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

// Shaders are compiled for every shape and run on the CPU here; the suite takes minutes on WebGL.
const timeoutMs = 600_000;

describe("the conformance suite in Chromium", () => {
  for (const name of ["reference", "webgpu", "tfjs-wasm", "tfjs-webgl", "tfjs-webgpu"]) {
    test(`passes on ${name}`, { timeout: timeoutMs }, async () => {
      const page = await browser.newPage();
      const complaints = watchPage(page);
      await page.goto(site.url);
      const skipped = Object.keys(skips[name] ?? {});
      const outcome: ConformanceOutcome = await page.evaluate(`runConformance(${JSON.stringify({ name, skipped })})`);
      expect(outcome).toMatchObject({ failures: {}, unknown: [] });
      expect(outcome.passed + outcome.lowered).toBe(conformanceCases().length - skipped.length);
      if (name === "reference") expect(outcome.lowered).toBe(0);
      expect(complaints).toEqual([]);
      await page.close();
    });
  }
});
