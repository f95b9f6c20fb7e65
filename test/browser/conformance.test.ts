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
const timeoutMs = 900_000;

/** A page that has compiled some 700 cases' shaders loses its software device: each part of the suite has a page of its own. */
const parts = 4;

describe("the conformance suite in Chromium", () => {
  for (const name of ["reference", "webgpu", "tfjs-wasm", "tfjs-webgl", "tfjs-webgpu"]) {
    test(`passes on ${name}`, { timeout: timeoutMs }, async () => {
      const skipped = Object.keys(skips[name] ?? {});
      let run = 0;
      for (let part = 0; part < parts; part += 1) {
        const page = await browser.newPage();
        const complaints = watchPage(page);
        await page.goto(site.url);
        const outcome: ConformanceOutcome = await page.evaluate(`runConformance(${JSON.stringify({ name, skipped, part, parts })})`);
        expect(outcome.failures).toEqual({});
        expect(outcome.unknown).toEqual([]);
        if (name === "reference") expect(outcome.lowered).toBe(0);
        expect(complaints).toEqual([]);
        run += outcome.passed + outcome.lowered;
        await page.close();
      }
      expect(run).toBe(conformanceCases().length - skipped.length);
    });
  }
});
